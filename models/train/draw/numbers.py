"""Random generators -> resident ID numbers, lines of zones and credit codes; and whether one holds."""

import datetime

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS = DIGITS + LETTERS + "<x"
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
PROVINCES = (
    11,
    12,
    13,
    14,
    15,
    21,
    22,
    23,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    41,
    42,
    43,
    44,
    45,
    46,
    50,
    51,
    52,
    53,
    54,
    61,
    62,
    63,
    64,
    65,
    71,
    81,
    82,
    83,
)
# First two characters of a credit code that are given (GB 32100-2015, table 1), as the program has them.
AUTHORITIES = "11 12 13 19 21 29 31 32 33 34 35 39 41 49 51 52 53 59 91 92".split()
CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
STATES = ("UTO", "CHN", "D<<", "FRA", "USA", "GBR", "RUS", "EST", "GRC", "AZE", "ESP", "IND", "JPN", "KOR", "BRA")


def id_check(body):
    """The check character of GB 11643 over the first 17 digits."""
    return ID_CHECKS[sum(int(d) * w for d, w in zip(body, ID_WEIGHTS)) % 11]


def id_consistent(text, latest=datetime.date(2026, 12, 31)):
    """18 characters, a province, a date that was and the right check character; `x` is `X`."""
    text = text.upper()
    if len(text) != 18 or not text[:17].isdigit() or int(text[:2]) not in PROVINCES:
        return False
    try:
        born = datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return datetime.date(1900, 1, 1) <= born <= latest and id_check(text) == text[17]


def id_number(rng, right=True):
    """A resident ID number; one that is not `right` has one digit changed or two swapped."""
    while True:
        day = datetime.date(1930, 1, 1) + datetime.timedelta(int(rng.integers(34_700)))
        place = f"{PROVINCES[rng.integers(31)]}{rng.integers(1, 30):02d}{rng.integers(1, 30):02d}"
        text = place + day.strftime("%Y%m%d") + f"{rng.integers(1, 1000):03d}"
        text += id_check(text)
        # One in eleven ends in X; more of them, so that it is learnt.
        if text[-1] == "X" or rng.random() < 0.8:
            break
    if not right:
        good = list(text)
        while id_consistent("".join(good)):
            good, at = list(text), rng.integers(17)
            if rng.random() < 0.7:
                good[at] = DIGITS[rng.integers(10)]
            elif at < 16:
                good[at], good[at + 1] = good[at + 1], good[at]
        text = "".join(good)
    return text[:-1] + "x" if text[-1] == "X" and rng.random() < 0.2 else text


def drawn_from(rng, letters, length):
    return "".join(letters[i] for i in rng.integers(len(letters), size=length))


def mrz(rng, length=None):
    """One line of a machine-readable zone: names with fillers, or numbers, dates and check digits."""
    length = length or (30, 36, 44)[rng.choice(3, p=(0.3, 0.2, 0.5))]
    state = STATES[rng.integers(len(STATES))]
    names = [drawn_from(rng, LETTERS, rng.integers(2, 10)) for _ in range(rng.integers(1, 5))]
    kind = rng.integers(10)
    if kind < 4:
        head = ("P<", "PO", "I<", "ID", "AC", "V<")[rng.integers(6)] + state if length > 30 or kind < 1 else ""
        text = head + names[0] + "<<" + "<".join(names[1:])
    elif kind < 8:
        number = drawn_from(rng, DIGITS + (LETTERS if rng.random() < 0.3 else ""), 9)
        if length == 30 and kind < 6:
            text = "I<" + state + number + drawn_from(rng, DIGITS, 1)
            text += drawn_from(rng, DIGITS + "<", rng.integers(15)) if rng.random() < 0.4 else ""
        else:
            born, until = drawn_from(rng, DIGITS, 7), drawn_from(rng, DIGITS, 7)
            middle = born + "MF<"[rng.integers(3)] + until
            text = middle + state if length == 30 else number + drawn_from(rng, DIGITS, 1) + state + middle
            text += drawn_from(rng, DIGITS + LETTERS, rng.integers(15)) if rng.random() < 0.5 else ""
        text = text[: length - 1].ljust(length - 1, "<") + drawn_from(rng, DIGITS, 1)
    else:
        text = drawn_from(rng, DIGITS + LETTERS + "<" * 12, length)
    return text[:length].ljust(length, "<")


def zone_digit(text):
    """ICAO Doc 9303 part 3, section 4.9."""
    worth = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(worth)) % 10)


def zone_line(rng, right=True):
    """The second line of a passport's zone whose check digits are right; or one digit in it changed."""
    day = lambda: drawn_from(rng, DIGITS, 2) + f"{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    with_digit = lambda text: text + zone_digit(text)
    number, born, until = (
        with_digit(t) for t in (drawn_from(rng, DIGITS + LETTERS, 1) + drawn_from(rng, DIGITS, 8), day(), day())
    )
    optional = with_digit(drawn_from(rng, DIGITS, rng.integers(15)).ljust(14, "<"))
    text = number + STATES[rng.integers(len(STATES))] + born + "MF<"[rng.integers(3)] + until + optional
    text += zone_digit(number + born + until + optional)
    while not right:
        at = rng.choice([i for i, c in enumerate(text) if c in DIGITS])
        changed = text[:at] + DIGITS[rng.integers(10)] + text[at + 1 :]
        if not zone_consistent(changed):
            return changed
    return text


def zone_consistent(text):
    """As the program has it: O and I are 0 and 1 where digits alone may stand."""
    if len(text) != 44:
        return False
    digits = text[13:20] + text[21:28] + text[43]
    digits = digits.replace("O", "0").replace("I", "1")
    born, until, last = digits[:7], digits[7:14], digits[14]
    number, optional = text[:10], text[28:43]
    parts = (number, born, until, optional)
    return (
        all(part[-1] in DIGITS for part in (*parts, last))
        and (born[:6] + until[:6]).isdigit()
        and all(zone_digit(part[:-1]) == part[-1] for part in parts)
        and zone_digit(number + born + until + optional) == last
    )


def credit_code(rng):
    """The shape of a unified social credit code, without its check character."""
    return drawn_from(rng, CODE_LETTERS, 18)


def code_check(body):
    """The check character of GB 32100 over the first 17 characters."""
    worth = sum(CODE_LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return CODE_LETTERS[-worth % 31]


def code_consistent(text):
    """18 characters of the alphabet, digits for the region, an authority, a province and the right check character."""
    return (
        len(text) == 18
        and all(c in CODE_LETTERS for c in text)
        and text[2:8].isdigit()
        and text[:2] in AUTHORITIES
        and (int(text[2:4]) in PROVINCES or text[2:4] == "10")
        and code_check(text[:17]) == text[17]
    )


def whole_code(rng, right=True):
    """A unified social credit code; one that is not `right` has one character changed."""
    place = f"{PROVINCES[rng.integers(31)]}{rng.integers(1, 30):02d}{rng.integers(1, 30):02d}"
    text = ("91", "92", "52", "12")[rng.integers(4)] + place + drawn_from(rng, CODE_LETTERS, 9)
    text += code_check(text)
    while not right:
        at = rng.integers(18)
        changed = text[:at] + drawn_from(rng, DIGITS if at < 8 else CODE_LETTERS, 1) + text[at + 1 :]
        if not code_consistent(changed):
            return changed
    return text


def content(rng):
    """-> (text, is it an ID number, is it a line of an MRZ)."""
    kind = rng.random()
    if kind < 0.32:
        return id_number(rng, rng.random() < 0.6), True, False
    if kind < 0.56:
        return mrz(rng), False, True
    if kind < 0.66:
        return credit_code(rng), False, False
    if kind < 0.97:
        letters = (DIGITS, DIGITS + LETTERS, SYMBOLS, LETTERS, DIGITS + "Xx")[rng.integers(5)]
        return drawn_from(rng, letters, rng.integers(6, 45 if rng.random() < 0.2 else 22)), False, False
    return "", False, False
