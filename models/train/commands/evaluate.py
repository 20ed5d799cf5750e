"""Leave-sources-out figures of both screen nets -> one Markdown fragment, also printed.

    python -m train evaluate --photos DIR [--simulated DIR] [--markdown FILE] [--choose]

Every capture is scored by heads that never saw its source. Intervals are 95 %, from resampling sources, not pictures.
`--choose` prints what the settings in `nets/fit.py` were chosen by instead.
"""

import csv

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from .. import options
from ..data.borders import CASES
from ..data.captures import FOLDS, ORIGINAL, PRINT, SCREEN, file_facts
from ..data.looks import about
from ..figures import exact_interval
from ..nets.fit import EVALUATION_VIEWS, Settings, fit_net, score, second_look
from ..nets.heads import source_weights
from ..nets.readers import fold_parts, load_table, reader_names
from ..screen_figures import HEAD, Curve, figure_row, percent

# No longer side than this after a messenger.
MESSENGER_PX = 1600
TEXTURE_NET, SCENE_NET, SCENE_LOOKS, FUSED = "texture_net", "scene_net", "scene_net, both looks", "all"


def cross_scores(table, names, settings=Settings(), simulated_weight=0.0, views=EVALUATION_VIEWS):
    """-> view -> [N, net, species] log-odds, each fold by heads fitted without it.

    `names(fold)` are those of the features of tiles and overview by networks that saw no source of the fold.
    """
    out = {view: np.full((len(table.pictures), 3, 2), np.nan) for view in views}
    looked = np.array([bool(about(p.found)) for p in table.pictures])
    for fold in range(FOLDS):
        rows = np.flatnonzero(table.fold == fold)
        fitted = [
            (network, fit_net(table, table.fold != fold, network, simulated_weight, settings))
            for network in names(fold)
        ]
        for view in views:
            again = score(table, fitted[1:], second_look(view), rows)
            again[~looked[rows]] = np.nan
            out[view][rows] = np.concatenate([score(table, fitted, view, rows), again], 1)
    return out


def nets(scores, species):
    """[N, look, species] -> name -> [N]; all: the mean of the log-odds of both networks, the overview's the mean of its
    looks. Print is judged on the whole picture alone."""
    texture, scene, again = scores[:, :, species].T
    if species == 1:
        return {TEXTURE_NET: texture, SCENE_NET: scene, FUSED: (texture + scene) / 2}
    looks = np.nanmean([scene, again], 0)
    return {TEXTURE_NET: texture, SCENE_NET: scene, SCENE_LOOKS: looks, FUSED: (texture + looks) / 2}


def metadata_scores(table, use, positive):
    """The shortcut baseline: size, aspect, bytes and quantisation alone, over the same folds."""
    facts = np.array([file_facts(p) if u else [0.0] * 9 for p, u in zip(table.pictures, use)])
    out = np.full(len(use), np.nan)
    for fold in range(FOLDS):
        train, test = use & (table.fold != fold), use & (table.fold == fold)
        if not test.any():
            continue
        trees = ExtraTreesClassifier(300, min_samples_leaf=4, random_state=0)
        trees.fit(facts[train], positive[train], sample_weight=source_weights(table.group[train], positive[train]))
        out[test] = trees.predict_proba(facts[test])[:, 1]
    return out


def screen_report(table, scores):
    lines = [
        "### Screen against bona fide",
        "",
        "`captures.csv`, whole sources left out; 95 % intervals from resampling sources.",
        "",
    ]
    use = (table.kind == "captures") & (table.label != PRINT)
    attack = table.label == SCREEN
    lines.append(HEAD.format("view and net"))
    for view, how in (
        ("plain", "as it is"),
        ("neutral", "1280 px, quality 75"),
        ("central", "the same, central 60 % of the picture"),
    ):
        for name, s in nets(scores[view], 0).items():
            lines.append(figure_row(f"{how}: {name}", s[use], attack[use], table.group[use]))
    crop = use & np.array([bool(p.overview) for p in table.pictures])
    lines.append(
        figure_row(
            "native crop of a large photograph alone: texture_net",
            nets(scores["plain"], 0)[TEXTURE_NET][crop],
            attack[crop],
            table.group[crop],
        )
    )
    meta = metadata_scores(table, use, attack)
    lines.append(figure_row("file facts alone (the shortcut baseline)", meta[use], attack[use], table.group[use]))

    both = nets(scores["plain"], 0)[FUSED]
    curve = Curve(both[use], attack[use])
    at5, equal = curve.threshold(0.05), curve.threshold()
    apcer, bpcer = [], []
    for fold in range(FOLDS):  # the threshold of each fold comes from the other folds
        rest, test = use & (table.fold != fold), use & (table.fold == fold)
        flagged = both >= Curve(both[rest], attack[rest]).threshold(0.05)
        apcer.append(~flagged[test & attack])
        bpcer.append(flagged[test & ~attack])
    lines += [
        "",
        f"With both nets and the threshold for APCER 5 % set on the other folds: APCER "
        f"{percent(np.concatenate(apcer).mean())}, BPCER {percent(np.concatenate(bpcer).mean())}.",
    ]

    lines += [
        "",
        "Both nets at two fixed thresholds, as it is (share flagged as screen):",
        "",
        "| captures | n | at APCER 5 % | at the equal error rate |",
        "| --- | --- | --- | --- |",
    ]
    content = np.array([p.content for p in table.pictures])
    groups = [
        ("bona fide, content photo", use & ~attack & (content == "photo")),
        ("bona fide, content document", use & ~attack & (content == "document")),
        ("bona fide `documents` (paper by phone)", table.kind == "documents"),
        ("bona fide `cards` (physical cards)", table.kind == "cards"),
        ("screen, content photo", use & attack & (content == "photo")),
        ("screen, content document", use & attack & (content == "document")),
        ("screen, content screen_text", use & attack & (content == "screen_text")),
        ("screen, content face or qr", use & attack & np.isin(content, ("face", "qr"))),
        (
            "print (grey copies of cards and passports, content id_card)",
            (table.label == PRINT) & (content == "id_card"),
        ),
    ]
    for name, rows in groups:
        if rows.any():
            lines.append(
                f"| {name} | {rows.sum()} | {percent((both[rows] >= at5).mean())} "
                f"| {percent((both[rows] >= equal).mean())} |"
            )

    lines += [""] + cases_report(table, both, use, attack, at5, equal)
    lines += [
        "",
        "By source (both nets, as it is; error at the pooled equal-error threshold):",
        "",
        "| source | n screen / bona fide | AUC | APCER | BPCER |",
        "| --- | --- | --- | --- | --- |",
    ]
    source = np.array([p.source for p in table.pictures])
    for name in sorted(set(source[use])):
        rows = use & (source == name)
        a = attack[rows]
        auc = f"{Curve(both[rows], a).figures()[0]:.3f}" if a.any() and not a.all() else "-"
        apcer = percent((both[rows][a] < equal).mean()) if a.any() else "-"
        bpcer = percent((both[rows][~a] >= equal).mean()) if not a.all() else "-"
        lines.append(f"| {name} | {a.sum()} / {(~a).sum()} | {auc} | {apcer} | {bpcer} |")
    lines += [
        "",
        "Bona fide material by source (share flagged as screen at the equal error rate):",
        "",
        "| source | kind | n | flagged |",
        "| --- | --- | --- | --- |",
    ]
    for kind in ("cards", "documents"):
        for name in sorted(set(source[table.kind == kind])):
            rows = (source == name) & (table.kind == kind)
            lines.append(f"| {name} | {kind} | {rows.sum()} | {percent((both[rows] >= equal).mean())} |")
    return lines


def cases_report(table, both, use, attack, at5, equal):
    """Errors on the cases that are known to be hard, each with n."""
    with open(CASES, newline="") as file:
        cases = list(csv.DictReader(file))
    path = np.array([p.path for p in table.pictures])
    groups = [
        (name, np.isin(path, [c["path"] for c in cases if c["case"] == name]) & use)
        for name in sorted({c["case"] for c in cases})
    ]
    long_side = np.array([max(p.width, p.height) for p in table.pictures])
    groups += [
        (f"uploaded at {MESSENGER_PX} px or less: {what}", use & rows & (long_side <= MESSENGER_PX))
        for what, rows in (("bona fide", ~attack), ("screen", attack))
    ]
    receipts = np.array(["receipt" in p.source for p in table.pictures]) & (table.kind == "documents")
    groups.append(("receipts", receipts))
    lines = [
        "Cases that are known to be hard: errors (bona fide flagged, screens missed) at the equal error rate with "
        "exact 95 % intervals, and at APCER 5 %.",
        "",
        "| case | class | n | error at the equal error rate | at APCER 5 % |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, rows in groups:
        a = bool(attack[rows].all())
        wrong = [(both[rows] < t) if a else (both[rows] >= t) for t in (equal, at5)]
        low, high = exact_interval(wrong[0].sum(), rows.sum())
        lines.append(
            f"| {name} | {'screen' if a else 'bona fide'} | {rows.sum()} | {percent(wrong[0].mean())} "
            f"[{100 * low:.1f}, {100 * high:.1f}] | {percent(wrong[1].mean())} |"
        )
    return lines


def print_report(table, names, scores):
    content = np.array([p.content for p in table.pictures])
    real = table.kind != "simulated"
    copies = real & (table.label == PRINT) & (content == "id_card")
    coloured = real & (table.label == PRINT) & (content != "id_card")
    bona_fide = real & (table.label == ORIGINAL)
    papers = bona_fide & ((table.kind != "captures") | (content == "document"))
    lines = [
        "### Print against bona fide",
        "",
        "Grey copies of seven document types (one source; a type is left out at a time) and three colour prints. "
        "In the equalised views both classes are brought to 1280 px and quality 70.",
        "",
        HEAD.format("view, bona fide, net"),
    ]
    for view, how in (
        ("print0", "equalised, all in grey"),
        ("colour0", "equalised, in colour"),
        ("plain", "as it is"),
    ):
        for name, s in nets(scores[view], 1).items():
            for what, rows in (("all bona fide", bona_fide), ("documents and cards", papers)):
                use = copies | rows
                lines.append(figure_row(f"{how}; {what}: {name}", s[use], copies[use], table.group[use]))
    use = copies | papers
    meta = metadata_scores(table, use, copies)
    lines.append(
        figure_row(
            "file facts alone, documents and cards (the shortcut baseline)", meta[use], copies[use], table.group[use]
        )
    )
    s = nets(scores["colour0"], 1)[FUSED]
    curve = Curve(s[copies | bona_fide], copies[copies | bona_fide])
    limit = curve.threshold(0.05)
    made = table.kind == "simulated"
    if made.any():
        attack = made & (table.label == PRINT)
        lines += [
            "",
            "Simulated captures (each a source of its own, a fold left out at a time), equalised, in colour:",
            "",
            HEAD.format("print against, net"),
        ]
        for what, rows in (
            ("simulated originals", made & (table.label == ORIGINAL)),
            ("photographed bona fide captures", bona_fide),
        ):
            for name, t in nets(scores["colour0"], 1).items():
                use = attack | rows
                lines.append(figure_row(f"{what}: {name}", t[use], attack[use], table.group[use]))
        t = transferred(table, names)
        lines += [
            "",
            "Heads that saw simulated prints alone, on photographs (sources of the bona fide captures left out):",
            "",
            HEAD.format("prints and bona fide, both nets"),
        ]
        for what, rows in (
            ("grey copies; all bona fide", copies | bona_fide),
            ("grey copies; documents and cards", copies | papers),
            ("simulated prints, folds left out; simulated originals", made & (table.label != SCREEN)),
        ):
            lines.append(figure_row(what, t[rows], (table.label == PRINT)[rows], table.group[rows]))
        lines += [
            "",
            "Of the bona fide captures score at least as high as each colour print: "
            + ", ".join(percent((t[bona_fide] >= v).mean()) for v in t[coloured])
            + ".",
        ]
    lines += [
        "",
        "Bona fide captures whose mean log-odds of print are above 0, where the policy asks for review:",
        "",
        "| view | all bona fide | cards | documents |",
        "| --- | --- | --- | --- |",
    ]
    for view, how in (("plain", "as it is"), ("colour0", "1280 px, quality 70"), ("print0", "the same in grey")):
        t = nets(scores[view], 1)[FUSED] >= 0
        cells = [
            f"{percent(t[rows].mean())} (n {rows.sum()})"
            for rows in (bona_fide, bona_fide & (table.kind == "cards"), bona_fide & (table.kind == "documents"))
        ]
        lines.append(f"| {how} | {' | '.join(cells)} |")
    rank = [f"{percent((s[bona_fide] >= v).mean())}" for v in s[coloured]]
    lines += [
        "",
        f"Equalised in colour, both nets, at APCER 5 % on the grey copies: flagged as print are "
        f"{percent((s[real & (table.kind == 'cards')] >= limit).mean())} of the cards, "
        f"{percent((s[real & (table.kind == 'documents')] >= limit).mean())} of the paper documents and "
        f"{percent((s[real & (table.label == SCREEN)] >= limit).mean())} of the screens. "
        f"Share of bona fide captures that score at least as high as each of the {coloured.sum()} colour prints: "
        f"{', '.join(rank)}.",
    ]
    return lines


def transferred(table, names):
    """[N] print log-odds in the equalised colour view, by heads whose only prints are simulated."""
    out = np.full((len(table.pictures), 2), np.nan)
    for fold in range(FOLDS):
        use = (table.fold != fold) & ((table.label != PRINT) | (table.kind == "simulated"))
        rows = np.flatnonzero(table.fold == fold)
        for net, network in enumerate(names(fold)):
            out[rows, net] = score(table, [(network, fit_net(table, use, network))], "colour0", rows)[:, 0, 1]
    return out.mean(1)


def choose(table, names, simulated_weight):
    """The grid behind `fit.Settings`: a setting is chosen on half of the folds and scored on the rest."""
    use = (table.kind == "captures") & (table.label != PRINT)
    attack, half, tried = table.label == SCREEN, table.fold % 2, {}
    for c in (0.1, 0.03, 0.01):
        for level in (0.0, 3.0, 10.0):
            settings = Settings(c=c, level=level)
            scores = cross_scores(table, names, settings, simulated_weight, ("plain",))
            tried[settings] = both = nets(scores["plain"], 0)[FUSED]
            print(figure_row(f"C {c}, level {level}", both[use], attack[use], table.group[use]), flush=True)
    best = [
        max(tried, key=lambda k: Curve(tried[k][use & (half == h)], attack[use & (half == h)]).figures()[0])
        for h in (0, 1)
    ]
    crossed = np.where(half == 0, tried[best[1]], tried[best[0]])
    print(f"chosen on even folds {best[0]}, on odd folds {best[1]}")
    print(figure_row("both, settings chosen on the other half", crossed[use], attack[use], table.group[use]))


def main():
    parser = options.parser(__doc__)
    options.captures(parser)
    parser.add_argument("--markdown", help="file for the Markdown fragment")
    parser.add_argument("--choose", action="store_true", help="print what the settings were chosen by, and stop")
    parser.add_argument("--scores", help="also write the leave-sources-out log-odds of every capture to this csv")
    args = parser.parse_args()
    if args.choose and args.reader == options.TUNED:
        parser.error("tuned heads have no such settings: --choose goes with --reader pretrained")
    table, _ = load_table(args, fold_parts(args.reader))
    _, names = reader_names(args.reader)
    if args.choose:
        choose(table, names, args.simulated_weight)
        return
    scores = cross_scores(table, names, simulated_weight=args.simulated_weight)
    lines = screen_report(table, scores) + [""] + print_report(table, names, scores)
    text = "\n".join(lines) + "\n"
    print(text)
    if args.markdown:
        with open(args.markdown, "w") as file:
            file.write(text)
    if args.scores:
        with open(args.scores, "w") as file:
            file.write(
                "path,label,kind,content,source,fold,texture_screen,texture_print,scene_screen,scene_print,near_screen,near_print\n"
            )
            for p, f, s in zip(table.pictures, table.fold, scores["plain"]):
                if p.kind == "simulated":
                    continue
                row = ",".join("" if np.isnan(v) else f"{v:.4f}" for v in s.reshape(-1))
                file.write(f"{p.path},{p.label},{p.kind},{p.content},{p.source},{f},{row}\n")
