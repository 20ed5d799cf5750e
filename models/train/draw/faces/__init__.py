"""A seed -> the upright face of a made-up document; one file for each document."""

from .bank_card import bank_card
from .business_card import business_card
from .driving_licence import driving_licence
from .identity_card import card_back, identity_card
from .licence import licence
from .no_document import no_document
from .page import page
from .pass_card import pass_card
from .passport import passport
from .playing_card import playing_card
from .resident_card import emblem_card, resident_card
from .trading_card import trading_card

KINDS = ("portrait_side", "emblem_side", "card", "passport_page", "licence", "page", "none")
SHARES = (0.2, 0.11, 0.17, 0.14, 0.12, 0.13, 0.13)
MAKERS = {
    "portrait_side": ((resident_card, 0.36), (identity_card, 0.42), (driving_licence, 0.22)),
    "emblem_side": ((emblem_card, 1.0),),
    "card": (
        (card_back, 0.26),
        (bank_card, 0.2),
        (business_card, 0.17),
        (playing_card, 0.16),
        (trading_card, 0.09),
        (pass_card, 0.12),
    ),
    "passport_page": ((passport, 1.0),),
    "licence": ((licence, 1.0),),
    "page": ((page, 1.0),),
    "none": ((no_document, 1.0),),
}
