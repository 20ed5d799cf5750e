//! Native tiles → log-odds of screen and print from a learned texture model, with a heat map of the tiles.

use std::sync::Arc;

use ndarray::{Array4, ArrayView2, Ix2};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::inference::{Model, write_planes};
use crate::scene::{Scene, TEXTURE_TILE_PX, Tile, ycc_to_rgb};
use crate::words::Fact;

pub static SCREEN_LOGODDS: Reading =
    Reading::new("texture_net.screen_logodds", "log-odds", "screen against bona fide, pooled over the tiles");
pub static PRINT_LOGODDS: Reading =
    Reading::new("texture_net.print_logodds", "log-odds", "print against bona fide, pooled over the tiles; in shadow");
pub static TILE_COUNT: Reading = Reading::count("texture_net.tile_count", "native tiles that were looked at");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "texture_net",
        question: "Does the finest texture look like that of a screen or a print?",
        readings: &[&SCREEN_LOGODDS, &PRINT_LOGODDS, &TILE_COUNT],
        method: "Early and middle blocks of a pretrained EfficientNet-Lite0 on six native 128-pixel tiles; mean and \
                 deviation of each map, pooled over tiles, and a linear head trained on labelled captures \
                 (models/README.md).",
        blind_spots: "Sharp high-density screens that fill the frame; fine woven fabric and plastic cards may look \
                      like a screen. The print head has no honest figure yet and stays in shadow.",
    },
    build: |models| Box::new(TextureNet(models.get("texture_net"))),
};

struct TextureNet(Option<Arc<dyn Model>>);

impl Detector for TextureNet {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("texture_net") };
        let tiles = scene.texture_tiles();
        let outputs = match model.run(batch(tiles).view().into_dyn()) {
            Ok(outputs) => outputs,
            Err(error) => return failed(&error),
        };
        let mut outputs = outputs.into_iter().map(ndarray::ArrayBase::into_dimensionality::<Ix2>);
        let (Some(Ok(pooled)), Some(Ok(by_tile))) = (outputs.next(), outputs.next()) else {
            return failed(&"the model gave other outputs than logits and tile_logits");
        };
        evidence(tiles, pooled.view(), by_tile.view())
    }
}

/// Tiles as the model takes them: `[n, 3, side, side]`, RGB, 0 to 255.
fn batch(tiles: &[Tile]) -> Array4<f32> {
    let side = TEXTURE_TILE_PX as usize;
    let mut batch = Array4::zeros((tiles.len(), 3, side, side));
    for (mut slot, tile) in batch.outer_iter_mut().zip(tiles) {
        let rgb = ycc_to_rgb(&tile.y, &tile.cb, &tile.cr);
        write_planes(&rgb, slot.as_slice_mut().unwrap_or_default());
    }
    batch
}

fn evidence(tiles: &[Tile], pooled: ArrayView2<'_, f32>, by_tile: ArrayView2<'_, f32>) -> Outcome {
    let (screen, print) = (f64::from(pooled[[0, 0]]), f64::from(pooled[[0, 1]]));
    let mut evidence = Evidence::told(Fact::Texture { tiles: tiles.len(), screen });
    evidence.read(&SCREEN_LOGODDS, screen);
    evidence.read(&PRINT_LOGODDS, print);
    evidence.read(&TILE_COUNT, tiles.len() as f64);
    for (tile, logits) in tiles.iter().zip(by_tile.outer_iter()) {
        evidence.mark(MarkKind::Heat, tile.rect.corners(), 1.0 / (1.0 + (-logits[0]).exp()));
    }
    evidence.into()
}
