//! A reason and its evidence → what the score is without that evidence, and without as much of something else.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::evidence::{marked_lines, marked_region};
use super::fill::Filling;
use super::picture::{Edit, Picture};
use super::reason::{Control, EDITABLE, Test, measured};
use super::region::Region;
use super::{By, Deleted, QUALITY, Settings};
use crate::capture::{Capture, CaptureError, Upload};
use crate::checker::Checker;
use crate::evidence::{Mark, MarkKind};
use crate::geometry::Quad;
use crate::report::Report;
use crate::scene::{Deadline, Scene};

/// Everything that the checks of one picture share.
pub(super) struct Bench<'a> {
    checker: &'a Checker,
    upload: Upload<'a>,
    settings: &'a Settings,
    pub(super) picture: Picture,
    quality: Option<u8>,
    random: ChaCha8Rng,
    pub(super) checks: u32,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        checker: &'a Checker,
        upload: &Upload<'a>,
        capture: &Capture,
        settings: &'a Settings,
    ) -> Result<Self, CaptureError> {
        let picture = Picture::of(capture)?;
        // An edit may make a PNG somewhat larger.
        let too_large = picture.file(None)?.len() > checker.limits().bytes / 10 * 9;
        let seed = Sha256::new().chain_update(upload.bytes).chain_update(settings.seed.to_le_bytes()).finalize();
        Ok(Self {
            checker,
            upload: *upload,
            settings,
            picture,
            quality: too_large.then_some(QUALITY),
            random: ChaCha8Rng::from_seed(seed.into()),
            checks: 0,
        })
    }

    /// The report of a picture that was re-encoded.
    pub(super) fn examine(&mut self, picture: &Picture) -> Result<Report, CaptureError> {
        self.checks += 1;
        let bytes = picture.file(self.quality)?;
        let upload = Upload { bytes: &bytes, name: self.upload.name };
        self.checker.check(&upload, Deadline::NEVER)
    }

    /// The report of the picture after `edits`.
    pub(super) fn without(&mut self, edits: &[Edit]) -> Result<Report, CaptureError> {
        let mut picture = self.picture.clone();
        for edit in edits {
            edit.apply(&mut picture, &mut self.random);
        }
        self.examine(&picture)
    }

    /// One row for each kind of mark that shows the reason, and one for all of them where there are several.
    pub(super) fn by_marks(
        &mut self,
        test: &Test<'_>,
        report: &Report,
        scene: &Scene<'_>,
        untouched: &Report,
    ) -> Result<Vec<Deleted>, CaptureError> {
        let size = self.picture.size();
        let document = report.document.as_ref().filter(|d| !d.fills_frame).map(|d| d.corners);
        let mut named: Vec<(By, Edit)> = Vec::new();
        for kind in EDITABLE {
            // A tile speaks for a screen from one half on.
            let faintest = if kind == MarkKind::Heat { 0.5 } else { self.settings.faintest };
            let shown = |mark: &&Mark| mark.kind == kind && mark.strength >= faintest;
            let marks: Vec<&Mark> = test.marks.iter().copied().filter(shown).collect();
            if marks.is_empty() {
                continue;
            }
            if matches!(kind, MarkKind::Pattern | MarkKind::Halftone) {
                let tiles = marked_lines(&marks, scene.spectra(), self.settings.line_db);
                if !tiles.is_empty() {
                    named.push((By::Mark(kind), Edit::Flatten(tiles)));
                }
                continue;
            }
            let region = marked_region(kind, &marks, size, document.as_ref());
            if !region.is_empty() {
                let filling = if kind == MarkKind::Glare {
                    self.document_colour(&region, document.as_ref())
                } else {
                    Filling::Surrounding
                };
                named.push((By::Mark(kind), Edit::Mask(region, filling)));
            }
        }
        let mut groups: Vec<(By, Vec<Edit>)> = named.iter().map(|(by, edit)| (*by, vec![edit.clone()])).collect();
        if named.len() > 1 {
            groups.push((By::Marks, named.into_iter().map(|(_, edit)| edit).collect()));
        }
        groups.into_iter().map(|(by, edits)| self.by_edits(test, by, &edits, untouched)).collect()
    }

    fn by_edits(
        &mut self,
        test: &Test<'_>,
        by: By,
        edits: &[Edit],
        untouched: &Report,
    ) -> Result<Deleted, CaptureError> {
        let mut changed = Region::none(self.picture.size());
        for edit in edits {
            match edit {
                Edit::Flatten(tiles) => tiles.iter().for_each(|(rect, _)| changed.lay(&rect.corners(), true)),
                Edit::Mask(region, _) => changed.join(region),
            }
        }
        let value = |report: &Report| measured(report, &test.reason.reading);
        let after = value(&self.without(edits)?);
        let elsewhere: Option<Vec<Edit>> =
            edits.iter().map(|edit| edit.elsewhere(&changed, &mut self.random)).collect();
        let control = match elsewhere {
            Some(elsewhere) => Some(Control(value(&self.without(&elsewhere)?))),
            None => None,
        };
        Ok(test.row(by, changed.share(), [value(untouched), after], control))
    }

    /// The cells that move the score most, masked together, against as many of the other cells drawn at random.
    pub(super) fn by_occlusion(
        &mut self,
        test: &Test<'_>,
        untouched: &Report,
        cells: &[Region],
        masked: &[Report],
    ) -> Result<Deleted, CaptureError> {
        let before = measured(untouched, &test.reason.reading);
        let gain = |report: &Report| Some(test.gain(before?, measured(report, &test.reason.reading)?));
        let mut best: Vec<(f64, &Region)> =
            masked.iter().zip(cells).filter_map(|(report, cell)| Some((gain(report)?, cell))).collect();
        best.retain(|(gain, _)| *gain > 0.0);
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut chosen = Region::none(self.picture.size());
        let mut count = 0;
        for (_, cell) in best {
            // A cell is a whole number of canvas pixels: a quarter of them may be a hair more than a quarter.
            if chosen.share() + cell.share() > self.settings.occluded_share + 0.01 {
                break;
            }
            chosen.join(cell);
            count += 1;
        }
        if count == 0 {
            return Ok(test.row(By::Occlusion, 0.0, [before, before], None));
        }
        let mut drawn: Vec<usize> = (0..cells.len()).filter(|i| cells[*i].shared(&chosen) == 0.0).collect();
        let mut elsewhere = Region::none(self.picture.size());
        for i in 0..count.min(drawn.len()) {
            let other = self.random.random_range(i..drawn.len());
            drawn.swap(i, other);
            elsewhere.join(&cells[drawn[i]]);
        }
        let share = chosen.share();
        let after = self.without(&[Edit::Mask(chosen, Filling::Surrounding)])?;
        let random = self.without(&[Edit::Mask(elsewhere, Filling::Surrounding)])?;
        let value = |report: &Report| measured(report, &test.reason.reading);
        Ok(test.row(By::Occlusion, share, [before, value(&after)], Some(Control(value(&random)))))
    }

    /// The mean colour of the document, or of the picture, beside `region`.
    fn document_colour(&self, region: &Region, document: Option<&Quad>) -> Filling {
        let size = self.picture.size();
        let mut wanted = Region::none(size);
        match document {
            Some(quad) => wanted.lay(&quad.0, true),
            None => wanted.held.fill(true),
        }
        for (wanted, left_out) in wanted.held.iter_mut().zip(&region.held) {
            *wanted &= !left_out;
        }
        let mask = wanted.mask(size);
        let mut sum = [0.0f64; 3];
        let mut count = 0.0f64;
        for (pixel, _) in self.picture.native.pixels().zip(&mask).filter(|(_, wanted)| **wanted) {
            for (sum, value) in sum.iter_mut().zip(pixel.0) {
                *sum += f64::from(value);
            }
            count += 1.0;
        }
        if count == 0.0 { Filling::Surrounding } else { Filling::Colour(sum.map(|sum| (sum / count) as f32)) }
    }
}
