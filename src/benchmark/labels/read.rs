//! A file of labels → its rows, or every row that is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::error::{LabelError, Problem};
use super::label::{AMBIGUOUS, Label, Readable, plain};
use super::{COLUMNS, Labels, Sample};
use crate::report::csv::unguarded;

/// Reads labels: JSON Lines where the first character is `{` or the file's name ends in `.jsonl` or `.ndjson`, a table
/// with a header otherwise, with commas, or with semicolons or tabs where its header has no comma.
///
/// # Errors
/// When the file cannot be read, has no rows or lacks a column, and when any row is wrong; all such rows are reported
/// together, none is left out.
pub fn read(path: &Path) -> Result<Labels, LabelError> {
    let bytes = std::fs::read(path).map_err(|source| LabelError::Read { path: path.to_owned(), source })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let mut rows = Rows::default();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(LabelError::Empty { path: path.to_owned() }),
        Some(b'[') => return Err(LabelError::Array { path: path.to_owned() }),
        Some(b'{') => json_lines(bytes, &mut rows),
        Some(_) if ending == "jsonl" || ending == "ndjson" => json_lines(bytes, &mut rows),
        Some(_) => table(path, bytes, &mut rows)?,
    }
    rows.finish(path)
}

/// Samples and problems while a file is read.
#[derive(Default)]
struct Rows {
    samples: Vec<Sample>,
    problems: Vec<Problem>,
    first_row_of: BTreeMap<String, usize>,
}

impl Rows {
    fn problem(&mut self, row: usize, what: String) {
        self.problems.push(Problem { row, what });
    }

    /// Takes the row whose cells `cell` gives by column; absent and blank cells are alike.
    fn add(&mut self, row: usize, cell: impl Fn(&str) -> Option<String>) {
        let known = self.problems.len();
        let text = |column: &str| cell(column).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let path = match cell("path").filter(|path| !path.trim().is_empty()) {
            None => Err("it has no path".to_owned()),
            Some(path) => below_root(&path),
        };
        let label = match text("label") {
            None => Err("it has no label".to_owned()),
            Some(word) => Label::of(&word).ok_or_else(|| unknown_label(&word)),
        };
        let legible = match text("legible").map(|word| word.to_lowercase()).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "1") => Ok(Some(true)),
            Some("false" | "no" | "0") => Ok(Some(false)),
            Some(word) => Err(format!("legible is \"{word}\", and neither true nor false")),
        };
        let readable = match text("readable") {
            None => Ok(None),
            Some(word) => Readable::of(&word)
                .map(Some)
                .ok_or_else(|| format!("readable is \"{word}\", and none of yes, part and no")),
        };
        if let Ok(path) = &path {
            if let Some(first) = self.first_row_of.get(path) {
                let what = format!("the path \"{path}\" is in row {first} already");
                self.problem(row, what);
            } else {
                self.first_row_of.insert(path.clone(), row);
            }
        }
        match (path, label, legible, readable) {
            (Ok(path), Ok(label), Ok(legible), Ok(readable)) => {
                let mut sample = Sample::new(row, &path, label);
                sample.species = text("species").unwrap_or(sample.species);
                sample.source = text("source").unwrap_or(sample.source);
                sample.device = text("device");
                sample.document_id = text("document_id");
                sample.content = text("content");
                sample.split = text("split");
                sample.legible = legible;
                sample.readable = readable;
                if self.problems.len() == known {
                    self.samples.push(sample);
                }
            }
            (path, label, legible, readable) => {
                for what in [path.err(), label.err(), legible.err(), readable.err()].into_iter().flatten() {
                    self.problem(row, what);
                }
            }
        }
    }

    fn finish(mut self, path: &Path) -> Result<Labels, LabelError> {
        if let Some(with) = self.samples.iter().find(|sample| sample.split.is_some()).map(|sample| sample.row) {
            let without = self.samples.iter().filter(|sample| sample.split.is_none());
            let what = format!("it has no split, as row {with} has");
            self.problems.extend(without.map(|sample| Problem { row: sample.row, what: what.clone() }));
        }
        if !self.problems.is_empty() {
            return Err(LabelError::of_rows(path, self.problems));
        }
        if self.samples.is_empty() {
            return Err(LabelError::Empty { path: path.to_owned() });
        }
        Ok(Labels { samples: self.samples })
    }
}

fn unknown_label(word: &str) -> String {
    if AMBIGUOUS.contains(&plain(word).as_str()) {
        format!("the label \"{word}\" does not say what the picture is of: screen, print or screenshot")
    } else {
        let names = Label::ALL.map(Label::name).join(", ");
        format!("the label \"{word}\" is unknown; labels are: {names}")
    }
}

/// `path` with `/` between its parts and no `.` or empty parts. A `\` parts folders only in the search for `..`, as it
/// may be part of a name.
fn below_root(path: &str) -> Result<String, String> {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with(['/', '\\']) || drive {
        return Err(format!("the path \"{path}\" is absolute; paths are below the root"));
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(format!("the path \"{path}\" leads out of the root"));
    }
    if path.contains('\0') {
        return Err(format!("the path {path:?} holds a zero character"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { Err(format!("the path \"{path}\" names no file")) } else { Ok(parts.join("/")) }
}

fn table(path: &Path, bytes: &[u8], rows: &mut Rows) -> Result<(), LabelError> {
    let header = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let delimiter =
        if header.contains(&b',') { b',' } else { *[b';', b'\t'].iter().find(|d| header.contains(d)).unwrap_or(&b',') };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut columns: Vec<String> = Vec::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => {
                rows.problem(row_of(reader.position()), format!("it cannot be read: {error}"));
                return Ok(());
            }
        }
        let row = record.position().map_or(0, row_of);
        if columns.is_empty() {
            columns = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase()).collect();
            check_columns(path, &columns)?;
            continue;
        }
        if record.len() != columns.len() {
            let what = format!("it has {} columns, and the header {}", record.len(), columns.len());
            rows.problem(row, what);
            continue;
        }
        let Ok(cells) = record.iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>() else {
            rows.problem(row, "it is not UTF-8 text".to_owned());
            continue;
        };
        rows.add(row, |name| {
            columns.iter().position(|column| column == name).map(|at| unguarded(cells[at]).to_owned())
        });
    }
}

fn row_of(position: &csv::Position) -> usize {
    usize::try_from(position.line()).unwrap_or(usize::MAX)
}

fn check_columns(path: &Path, columns: &[String]) -> Result<(), LabelError> {
    let missing: Vec<&str> =
        COLUMNS[..2].iter().copied().filter(|name| !columns.iter().any(|column| column == name)).collect();
    if !missing.is_empty() {
        let (missing, found) = (missing.join("\", \""), columns.join(", "));
        return Err(LabelError::Column { path: path.to_owned(), missing, found });
    }
    match COLUMNS.iter().find(|name| columns.iter().filter(|column| column == *name).count() > 1) {
        Some(name) => Err(LabelError::TwoColumns { path: path.to_owned(), name: (*name).to_owned() }),
        None => Ok(()),
    }
}

fn json_lines(bytes: &[u8], rows: &mut Rows) {
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = index + 1;
        let object = match serde_json::from_slice::<serde_json::Map<String, Value>>(line) {
            Ok(object) => object,
            Err(error) => {
                rows.problem(row, format!("it is no JSON object: {error}"));
                continue;
            }
        };
        let cells: BTreeMap<String, Value> =
            object.into_iter().map(|(name, value)| (name.trim().to_lowercase(), value)).collect();
        let nested = COLUMNS.iter().find(|name| cells.get(**name).is_some_and(|v| v.is_array() || v.is_object()));
        if let Some(name) = nested {
            rows.problem(row, format!("{name} is {}, and no single value", cells[*name]));
            continue;
        }
        rows.add(row, |name| match cells.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::PROBLEMS_NAMED;
    use super::super::testing::{file, read_text};
    use super::*;

    fn problems(name: &str, text: &str) -> Vec<(usize, String)> {
        match read_text(name, text) {
            Err(LabelError::Rows { problems, .. }) => problems.into_iter().map(|p| (p.row, p.what)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_labels_of_simulated_captures_load() {
        let text = "path,label,species,source,content,seed,width\n\
                    original_card_01.jpg,original,bona-fide,simulated-91f4,card,18,1536\n\
                    screen_card_02.jpg,screen,lcd,simulated-91f4,card,19,1536\n";
        let labels = read_text("labels.csv", text).unwrap();
        assert_eq!(labels.samples.len(), 2);
        let first = &labels.samples[0];
        assert_eq!((first.row, first.label, first.species.as_str()), (2, Label::Original, "bona-fide"));
        assert_eq!((first.source.as_str(), first.content.as_deref()), ("simulated-91f4", Some("card")));
        assert_eq!(labels.samples[1].label, Label::Screen);
    }

    #[test]
    fn json_lines_and_tables_of_the_same_rows_are_alike() {
        let table = "Path;Label;Document_ID;legible;split\na/b.jpg;Photocopy; 7 ;yes;test\nc.jpg;or;;;test\n";
        let lines = "{\"path\":\"./a//b.jpg\",\"label\":\"COPY\",\"document_id\":7,\"legible\":true,\"split\":\"test\"}\n\
                     {\"path\":\"c.jpg\",\"label\":\"genuine\",\"device\":null,\"split\":\"test\",\"other\":[1]}\n";
        let (table, mut lines) = (read_text("a.csv", table).unwrap(), read_text("a.txt", lines).unwrap());
        for sample in &mut lines.samples {
            sample.row += 1;
        }
        assert_eq!(table, lines);
        assert_eq!(table.samples[0].document_id.as_deref(), Some("7"));
        assert_eq!(table.samples[0].legible, Some(true));
    }

    #[test]
    fn readable_is_yes_part_or_no_in_tables_and_lines_and_nothing_else() {
        let table = read_text("a.csv", "path,label,Readable\na.jpg,or,Yes\nb.jpg,or, part \nc.jpg,or,no\nd.jpg,or,\n");
        let lines = "{\"path\":\"a.jpg\",\"label\":\"or\",\"readable\":\"yes\"}\n\
                     {\"path\":\"b.jpg\",\"label\":\"or\",\"readable\":\"part\"}\n\
                     {\"path\":\"c.jpg\",\"label\":\"or\",\"readable\":\"no\"}\n\
                     {\"path\":\"d.jpg\",\"label\":\"or\",\"readable\":null}\n";
        for labels in [table.unwrap(), read_text("a.jsonl", lines).unwrap()] {
            let said: Vec<_> = labels.samples.iter().map(|sample| (sample.readable, sample.is_legible())).collect();
            let expected = [
                (Some(Readable::Yes), Some(true)),
                (Some(Readable::Part), None),
                (Some(Readable::No), Some(false)),
                (None, None),
            ];
            assert_eq!(said, expected);
        }
        let found = problems("a.csv", "path,label,readable\na.jpg,or,true\nb.jpg,or,yes\nc.jpg,or,mostly\n");
        assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 4]);
        assert!(found[1].1.contains("readable is \"mostly\""), "{found:?}");
        assert_eq!(problems("a.jsonl", "{\"path\":\"a.jpg\",\"label\":\"or\",\"readable\":true}\n")[0].0, 1);
    }

    #[test]
    fn legible_has_the_word_where_both_columns_speak() {
        let labels = read_text("a.csv", "path,label,legible,readable\na.jpg,or,no,yes\nb.jpg,or,yes,part\n").unwrap();
        assert_eq!(labels.samples.iter().map(Sample::is_legible).collect::<Vec<_>>(), [Some(false), Some(true)]);
    }

    #[test]
    fn absent_species_and_sources_fall_back_on_label_folder_and_path() {
        let labels = read_text("a.csv", "\u{feff}path,label\nset/b/c.jpg,cg\nd.jpg,screen_shot\n").unwrap();
        assert_eq!((labels.samples[0].species.as_str(), labels.samples[0].source.as_str()), ("print", "set"));
        assert_eq!((labels.samples[1].species.as_str(), labels.samples[1].source.as_str()), ("screenshot", "d.jpg"));
    }

    #[test]
    fn all_bad_rows_are_reported_with_row_and_value() {
        let found = problems(
            "a.csv",
            "path,label,legible\n../a.jpg,original,\nb.jpg,attack,\n/c.jpg,hologram,perhaps\n,print,\ne.jpg,,\n\
             f.jpg,print,\nf.jpg,print,\ng.jpg,print\nC:\\h.jpg,print,\nx\\..\\y.jpg,print,\n./,print,\n",
        );
        let expected = [
            (2, "../a.jpg"),
            (3, "attack"),
            (4, "/c.jpg"),
            (4, "hologram"),
            (4, "perhaps"),
            (5, "no path"),
            (6, "no label"),
            (8, "f.jpg\" is in row 7"),
            (9, "2 columns"),
            (10, "C:\\h.jpg"),
            (11, "x\\..\\y.jpg"),
            (12, "./"),
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((row, what), (expected_row, part)) in found.iter().zip(expected) {
            assert_eq!(*row, expected_row, "{what}");
            assert!(what.contains(part), "{what}");
        }
    }

    #[test]
    fn problems_beyond_the_limit_are_counted() {
        let rows: String = (0..PROBLEMS_NAMED + 7).fold(String::new(), |text, n| text + &format!("{n}.jpg,x\n"));
        let error = read_text("a.csv", &format!("path,label\n{rows}")).unwrap_err();
        assert!(error.to_string().ends_with("and 7 more"), "{error}");
        assert_eq!(error.to_string().lines().count(), 1 + PROBLEMS_NAMED + 1);
    }

    #[test]
    fn broken_lines_of_json_are_reported_by_line() {
        let text =
            "{\"path\":\"a.jpg\",\"label\":\"print\"}\n\n{\"path\":\"b.jpg\"\n{\"path\":[1],\"label\":\"print\"}\n7\n";
        let found = problems("a.jsonl", text);
        assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(found[1].1.contains("path is [1]"), "{found:?}");
    }

    #[test]
    fn bytes_that_are_no_text_make_their_row_a_problem() {
        let (_dir, path) = file("a.csv", b"path,label\na.jpg,print\n\xff\xfe.jpg,print\n");
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("row 3: it is not UTF-8"), "{error}");
    }

    #[test]
    fn files_without_rows_or_columns_are_refused() {
        assert!(matches!(read_text("a.csv", " \n\n"), Err(LabelError::Empty { .. })));
        assert!(matches!(read_text("a.csv", "path,label\n"), Err(LabelError::Empty { .. })));
        assert!(matches!(read_text("a.json", "[{}]"), Err(LabelError::Array { .. })));
        assert!(matches!(read_text("a.csv", "path,label,Label\na,print,x\n"), Err(LabelError::TwoColumns { .. })));
        assert!(matches!(read(Path::new("/none/such.csv")), Err(LabelError::Read { .. })));
        let error = read_text("a.csv", "file,class\na.jpg,print\n").unwrap_err().to_string();
        assert!(error.contains("\"path\", \"label\"") && error.contains("file, class"), "{error}");
    }

    #[test]
    fn a_row_without_split_among_rows_with_one_is_a_problem() {
        let found = problems("a.csv", "path,label,split\na.jpg,print,test\nb.jpg,print,\n");
        assert_eq!(found, [(3, "it has no split, as row 2 has".to_owned())]);
    }

    #[test]
    fn no_cut_of_a_file_panics() {
        let text = "path,label,split\n\"a,\n\"\"ü.jpg\",print,test\nb.jpg,original,test\n".as_bytes();
        let lines = "{\"path\":\"ü.jpg\",\"label\":\"print\"}\n".as_bytes();
        for whole in [text, lines] {
            for cut in 0..whole.len() {
                let (_dir, path) = file("a.csv", &whole[..cut]);
                let _ = read(&path);
            }
        }
    }
}
