//! Characters to strokes: a small stroke font of the project's own, so that no font file is needed.

/// Advance from one character to the next, in heights of a capital letter.
pub const ADVANCE: f32 = 0.88;

/// Strokes of `c` on a grid 4 wide and 6 high (y down), two digits a point, a space between strokes.
const fn strokes(c: char) -> &'static str {
    match c {
        'A' => "062046 1434",
        'B' => "06003041423303 3344453606",
        'C' => "4130100105163645",
        'D' => "06003041453606",
        'E' => "40000646 0333",
        'F' => "400006 0333",
        'G' => "41301001051636454323",
        'H' => "0006 4046 0343",
        'I' => "1030 2026 1636",
        'J' => "404536160504",
        'K' => "0006 400346",
        'L' => "000646",
        'M' => "0600234046",
        'N' => "06004640",
        'P' => "06003041423303",
        'Q' => "103041453616050110 2446",
        'R' => "06003041423303 2346",
        'S' => "413010010213334445361605",
        'T' => "0040 2026",
        'U' => "000516364540",
        'V' => "002640",
        'W' => "0016233640",
        'X' => "0046 4006",
        'Y' => "002340 2326",
        'Z' => "00400646",
        'O' | '0' => "103041453616050110",
        '1' => "112026 1636",
        '2' => "01103041420646",
        '3' => "0110304142334445361605 2333",
        '4' => "36300444",
        '5' => "400002324345361605",
        '6' => "4130100105163645443303",
        '7' => "004016",
        '8' => "103041423344453616050413020110 1333",
        '9' => "0516364541301001021343",
        '-' => "0343",
        '.' => "2526",
        ',' => "2517",
        '/' => "0640",
        ':' => "2122 2425",
        '<' => "410345",
        _ => "",
    }
}

/// The same of a Chinese character, on a grid 9 wide and 9 high: those of a validity.
const fn han(c: char) -> &'static str {
    match c {
        '年' => "3003 2282 2484 2426 0696 5259",
        '月' => "202609 20707969 2373 2676",
        '日' => "2029 2070 7079 2979 2474",
        '至' => "0090 402373 6284 1686 5459 0999",
        '长' => "7043 0494 303857 446799",
        '期' => "0141 1017 3037 1333 1535 0747 1809 3849 606659 60909989 6393 6696",
        _ => "",
    }
}

/// Height of a Chinese character, and its advance, in heights of a capital letter.
const HAN: (f32, f32) = (1.2, 1.45);

/// Characters whose strokes are bent, not angled.
const BENT: &str = "0235689CGJOQSU";

/// `points` with every inner corner cut twice (Chaikin 1974, "An algorithm for high-speed curve generation"), its ends
/// kept; a ring is cut all round.
fn bent(points: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
    let ring = points.len() > 3 && points.first() == points.last();
    (0..2).fold(points, |points, _| {
        let cut = points.windows(2).flat_map(|pair| {
            let [a, b] = [pair[0], pair[1]];
            let at = |t: f32| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
            [at(0.25), at(0.75)]
        });
        let mut out: Vec<[f32; 2]> = cut.collect();
        if ring {
            out.extend(out.first().copied());
        } else if let (Some(first), Some(last)) = (points.first(), points.last()) {
            out.insert(0, *first);
            out.push(*last);
        }
        out
    })
}

/// The polylines of `text` with its top left at (`x`, `y`) and capitals `height` high; small letters are set as capitals.
#[must_use]
pub fn lines(text: &str, x: f32, y: f32, height: f32) -> Vec<Vec<[f32; 2]>> {
    let mut out = Vec::new();
    // Columns before this character: capitals, and Chinese ones.
    let mut before = (0, 0);
    for c in text.chars() {
        let left = x + (before.0 as f32 * ADVANCE + before.1 as f32 * HAN.1) * height;
        let (grid, unit, top) = match han(c) {
            "" => (strokes(c.to_ascii_uppercase()), height / 6.0, y),
            grid => (grid, HAN.0 * height / 9.0, y - (HAN.0 - 1.0) / 2.0 * height),
        };
        if han(c).is_empty() {
            before.0 += 1;
        } else {
            before.1 += 1;
        }
        for stroke in grid.split(' ').filter(|s| !s.is_empty()) {
            let points = stroke.as_bytes().chunks_exact(2);
            let points =
                points.map(|p| [left + f32::from(p[0] - b'0') * unit, top + f32::from(p[1] - b'0') * unit]).collect();
            out.push(if BENT.contains(c.to_ascii_uppercase()) { bent(points) } else { points });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bent_rings_stay_closed_and_ends_stay_put() {
        let ring = bent(vec![[1.0, 0.0], [4.0, 1.0], [1.0, 6.0], [0.0, 1.0], [1.0, 0.0]]);
        assert_eq!(ring.first(), ring.last());
        let open = bent(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 6.0]]);
        assert_eq!((open[0], open[open.len() - 1]), ([0.0, 0.0], [4.0, 6.0]));
    }

    #[test]
    fn every_letter_and_digit_has_strokes() {
        for c in ('A'..='Z').chain('0'..='9') {
            assert!(!strokes(c).is_empty() && strokes(c).split(' ').all(|s| s.len() >= 4 && s.len() % 2 == 0), "{c}");
        }
    }
}
