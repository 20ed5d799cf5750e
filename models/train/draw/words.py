"""Random generators -> made-up words, names, numbers and dates."""

# The 3755 common characters of GB 2312.
COMMON_HAN = [
    bytes((high, low)).decode("gb2312")
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (high, low) < (0xD7, 0xFA)
]
SCRIPTS = {
    "latin": "ABCDEFGHIJKLMNOPRSTUVYZ",
    "cyrillic": "АБВГДЕЖЗИКЛМНОПРСТУХЦЧШЭЮЯ",
    "greek": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
}
CHARACTERS = list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789abcdefghiklmnoprstuvwxyz<. ")


def chance(rng, share):
    return rng.random() < share


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def word(rng, script="latin", low=3, high=11):
    text = "".join(rng.choice(list(SCRIPTS[script]), rng.integers(low, high)))
    return text if chance(rng, 0.5) else text.capitalize()


def words(rng, count, script="latin"):
    return " ".join(word(rng, script, 2) for _ in range(count))


def letters(rng, length):
    """Print of a scene, too small to be read: any characters."""
    return "".join(rng.choice(CHARACTERS, length))


def han(rng, count):
    return "".join(rng.choice(COMMON_HAN, count))


def digits(rng, count):
    return "".join(str(d) for d in rng.integers(0, 10, count))


def date(rng):
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1950, 2035)
    return pick(
        rng,
        (
            f"{day:02}.{month:02}.{year}",
            f"{day:02}/{month:02}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day:02} {month:02} {year}",
        ),
    )


def value(rng, script):
    return pick(
        rng, (words(rng, rng.integers(1, 4), script), date(rng), digits(rng, rng.integers(4, 12)), word(rng, script))
    )


def machine_line(rng, count):
    """As in a machine-readable zone: letters, digits and fillers."""
    text = (
        word(rng, "latin", 4, 9).upper()
        + "<<"
        + "".join(rng.choice(list("ABCDEFGHIJKLMNOP0123456789<"), rng.integers(4, 26)))
    )
    return (text + "<" * count)[: count - 2] + digits(rng, 2)
