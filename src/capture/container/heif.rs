//! HEIF boxes (ISO/IEC 14496-12, 23008-12) → what a decoder will hold and do for the primary picture, before one runs.
//!
//! Decoders copy an item's bytes once for each place that it takes in a grid, resolve references item by item, and hold
//! all tiles at once. Everything that can multiply is counted here.

use std::collections::BTreeMap;

use super::{be16, be32, most_coded_bytes};
use crate::capture::{CaptureError, Limits};

/// Most boxes in one box, items, properties, and extents of all items: a phone's photograph has some hundreds.
const MOST: usize = 16_384;
/// Most bytes of all references between items.
const REFERENCE_BYTES: usize = 1 << 20;
/// Most steps of looking for what describes the picture: blocks of metadata times bytes of references.
const SEARCH_BYTES: usize = 1 << 24;
/// Most tiles of a grid: 64 megapixels in tiles of 256 × 256.
const TILES: usize = 1024;
/// Most bytes of parameter sets that are copied for all tiles.
const CONFIGURATION_BYTES: u64 = 4 << 20;
/// Most coded units of one image; an encoder makes one for each row of blocks at the most.
const UNITS: usize = 4096;
/// Most crops, turns and mirrorings of the picture.
const TRANSFORMS: usize = 8;
/// How often the file's bytes may be copied, tiles that stand in several places among them, and bytes beside that.
const COPIES: (u64, u64) = (4, 1 << 20);
/// Pixels of all tiles over those of the whole, and pixels beside that: tiles reach over the right and lower edge.
const TILE_PIXELS: (u64, u64) = (2, 4 << 20);

/// Coded bits for each pixel.
const BITS_A_PIXEL: u64 = 4;

/// What decoding the primary picture will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Pixels of the picture, or of all its tiles where that is more; 0 where the file does not say.
    pub pixels: u64,
    /// Whether a profile of HEVC or a kind of item is used that the decoder does not know.
    pub unusual: bool,
}

/// Counts what the decoder will do.
///
/// # Errors
/// Too costly where a bound is exceeded, damaged where the structure is none, unsupported where it is of another kind.
pub fn plan(bytes: &[u8], limits: &Limits) -> Result<Plan, CaptureError> {
    let Some(meta) = children(bytes)?.iter().rev().find(|(kind, _)| *kind == b"meta").map(|(_, body)| *body) else {
        // A sequence: its first whole frame is one coded image.
        return Ok(Plan { pixels: 0, unusual: false });
    };
    let file = read(bytes, meta.get(4..).ok_or(CaptureError::Undecodable)?)?;
    file.count(limits)
}

/// Whether all that the file's items say they hold is in `bytes`, its whole boxes.
pub fn is_whole(bytes: &[u8]) -> bool {
    let items = || {
        let meta = children(bytes)?.iter().rev().find(|(kind, _)| *kind == b"meta").map(|(_, body)| *body);
        Ok::<_, CaptureError>(read(bytes, meta.and_then(|meta| meta.get(4..)).ok_or(CaptureError::Truncated)?)?.places)
    };
    let inside =
        |(inside, start, length): &(bool, u64, u64)| *inside || start.saturating_add(*length) <= bytes.len() as u64;
    items().is_ok_and(|places| !places.is_empty() && places.values().flatten().all(inside))
}

type Kind<'a> = &'a [u8; 4];

/// The boxes in `body`, each with its kind and what it holds; one that is cut off ends them.
fn children(body: &[u8]) -> Result<Vec<(Kind<'_>, &[u8])>, CaptureError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let (Some(size), Some(kind)) = (be32(body, at), body.get(at + 4..at + 8).and_then(<[u8]>::first_chunk)) {
        let (start, size) = match size {
            0 => (at + 8, body.len() - at),
            1 => {
                let wide = be32(body, at + 8).filter(|high| *high == 0).and_then(|_| be32(body, at + 12));
                (at + 16, wide.ok_or(CaptureError::Undecodable)? as usize)
            }
            size => (at + 8, size as usize),
        };
        let end = at.saturating_add(size);
        let inside = body.get(start..end).ok_or(CaptureError::Undecodable)?;
        found.push((kind, inside));
        if found.len() > MOST {
            return Err(CaptureError::TooCostly);
        }
        at = end;
    }
    Ok(found)
}

/// Fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], CaptureError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(CaptureError::Undecodable)?;
        self.0 = rest;
        Ok(head)
    }

    /// A number of `size` bytes, 0 to 8.
    fn number(&mut self, size: usize) -> Result<u64, CaptureError> {
        Ok(self.bytes(size.min(8))?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// 16 or 32 bits.
    fn short(&mut self, wide: bool) -> Result<u32, CaptureError> {
        Ok(self.number(if wide { 4 } else { 2 })? as u32)
    }

    /// The version of a full box, past its flags; the flags' lowest bit.
    fn version(&mut self) -> Result<(u8, bool), CaptureError> {
        let head = self.bytes(4)?;
        Ok((head[0], head[3] & 1 == 1))
    }
}

/// What stands in the boxes.
#[derive(Default)]
struct File<'a> {
    bytes: &'a [u8],
    idat: &'a [u8],
    primary: u32,
    kinds: BTreeMap<u32, [u8; 4]>,
    /// Extents of each item: whether in `idat`, where, and how many bytes.
    places: BTreeMap<u32, Vec<(bool, u64, u64)>>,
    properties: Vec<(Kind<'a>, &'a [u8])>,
    associations: BTreeMap<u32, Vec<usize>>,
    references: Vec<(Kind<'a>, u32, Vec<u32>)>,
    reference_bytes: usize,
}

fn read<'a>(bytes: &'a [u8], meta: &'a [u8]) -> Result<File<'a>, CaptureError> {
    let mut file = File { bytes, ..File::default() };
    let (mut extents, mut associations) = (0, 0);
    let few = |count: usize| if count > MOST { Err(CaptureError::TooCostly) } else { Ok(()) };
    for (kind, body) in children(meta)? {
        let mut fields = Fields(body);
        match kind {
            b"pitm" => {
                let (version, _) = fields.version()?;
                file.primary = fields.short(version > 0)?;
            }
            b"iinf" => {
                let (version, _) = fields.version()?;
                fields.short(version > 0)?;
                for (_, entry) in children(fields.0)?.iter().filter(|(kind, _)| *kind == b"infe") {
                    let mut fields = Fields(entry);
                    let (version, _) = fields.version()?;
                    if version >= 2 {
                        let id = fields.short(version > 2)?;
                        fields.number(2)?;
                        let kind = fields.bytes(4)?.first_chunk().copied().unwrap_or_default();
                        file.kinds.insert(id, kind);
                    }
                }
                few(file.kinds.len())?;
            }
            b"iloc" => {
                file.places.clear();
                let (version, _) = fields.version()?;
                let sizes = fields.number(2)? as usize;
                let size = |shift: usize| sizes >> shift & 15;
                let index = if version > 0 { size(0) } else { 0 };
                for _ in 0..fields.short(version > 1)? {
                    let id = fields.short(version > 1)?;
                    let method = if version > 0 { fields.number(2)? & 15 } else { 0 };
                    fields.number(2)?;
                    let base = fields.number(size(4))?;
                    let mut places = Vec::new();
                    for _ in 0..fields.number(2)? {
                        fields.number(index)?;
                        let start = base.saturating_add(fields.number(size(12))?);
                        places.push((method == 1, start, fields.number(size(8))?));
                        extents += 1;
                        few(extents)?;
                    }
                    file.places.insert(id, places);
                    few(file.places.len())?;
                }
            }
            b"iprp" => {
                for (kind, body) in children(body)? {
                    if kind == b"ipco" {
                        file.properties.extend(children(body)?);
                        few(file.properties.len())?;
                    } else if kind == b"ipma" {
                        let mut fields = Fields(body);
                        let (version, wide) = fields.version()?;
                        for _ in 0..fields.number(4)? {
                            let id = fields.short(version > 0)?;
                            let count = fields.number(1)?;
                            let mut numbers = Vec::new();
                            for _ in 0..count {
                                let number = fields.number(if wide { 2 } else { 1 })? as usize;
                                numbers.push(number & if wide { 0x7FFF } else { 0x7F });
                            }
                            associations += 1 + numbers.len();
                            few(associations)?;
                            file.associations.insert(id, numbers);
                        }
                    }
                }
            }
            b"idat" => file.idat = body,
            b"iref" => {
                file.references.clear();
                file.reference_bytes = body.len();
                if body.len() > REFERENCE_BYTES {
                    return Err(CaptureError::TooCostly);
                }
                let (version, _) = fields.version()?;
                for (kind, body) in children(fields.0)? {
                    let mut fields = Fields(body);
                    while !fields.0.is_empty() {
                        let from = fields.short(version > 0)?;
                        let count = fields.number(2)?;
                        let to = (0..count).map(|_| fields.short(version > 0)).collect::<Result<_, _>>()?;
                        file.references.push((kind, from, to));
                        few(file.references.len())?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(file)
}

/// What decoding takes so far.
#[derive(Default)]
struct Cost {
    copied: u64,
    configured: u64,
    coded: u64,
    pixels: u64,
    unusual: bool,
}

impl<'a> File<'a> {
    fn count(&self, limits: &Limits) -> Result<Plan, CaptureError> {
        let described = self.kinds.values().filter(|kind| matches!(*kind, b"Exif" | b"mime")).count();
        if described.saturating_mul(self.reference_bytes) > SEARCH_BYTES {
            return Err(CaptureError::TooCostly);
        }
        let mut cost = Cost::default();
        // What describes the picture is copied too.
        for (id, _) in self.kinds.iter().filter(|(_, kind)| matches!(*kind, b"Exif" | b"mime")) {
            cost.copied = cost.copied.saturating_add(self.length(*id));
        }
        self.picture(self.primary, &mut cost, limits)?;
        // An opacity plane, a picture of its own.
        for (_, from, to) in self.references.iter().filter(|(kind, ..)| *kind == b"auxl") {
            let opacity = self.properties_of(*from).any(|(kind, body)| kind == b"auxC" && names_opacity(body));
            if opacity && to.contains(&self.primary) {
                self.picture(*from, &mut cost, limits)?;
            }
        }
        if cost.copied > COPIES.0 * self.bytes.len() as u64 + COPIES.1
            || cost.configured > CONFIGURATION_BYTES
            || cost.coded > most_coded_bytes(cost.pixels, BITS_A_PIXEL)
        {
            return Err(CaptureError::TooCostly);
        }
        Ok(Plan { pixels: cost.pixels, unusual: cost.unusual })
    }

    fn properties_of(&self, id: u32) -> impl Iterator<Item = (Kind<'a>, &'a [u8])> {
        let numbers = self.associations.get(&id).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.properties.get(number.checked_sub(1)?).copied())
    }

    fn references_of(&self, kind: Kind<'_>, id: u32) -> &[u32] {
        // The last one of several counts, as in the decoder.
        let of = self.references.iter().rev().find(|(k, from, _)| *k == kind && *from == id);
        of.map(|(.., to)| to.as_slice()).unwrap_or_default()
    }

    fn length(&self, id: u32) -> u64 {
        self.places.get(&id).into_iter().flatten().fold(0, |sum: u64, (.., length)| sum.saturating_add(*length))
    }

    /// The bytes of an item of no more than the file's own length.
    fn data(&self, id: u32) -> Result<Vec<u8>, CaptureError> {
        if self.length(id) > self.bytes.len() as u64 {
            return Err(CaptureError::TooCostly);
        }
        let mut data = Vec::new();
        for (inside, start, length) in self.places.get(&id).into_iter().flatten() {
            let end = start.saturating_add(*length);
            let whole = if *inside { self.idat } else { self.bytes };
            data.extend_from_slice(whole.get(*start as usize..end as usize).ok_or(CaptureError::Truncated)?);
        }
        Ok(data)
    }

    /// Adds what the picture `id` takes: one coded image, a grid of them, or another picture, turned.
    fn picture(&self, mut id: u32, cost: &mut Cost, limits: &Limits) -> Result<(), CaptureError> {
        /// Longest chain of pictures that are another one, turned.
        const CHAIN: usize = 8;
        let mut transforms = 0;
        for _ in 0..CHAIN {
            transforms +=
                self.properties_of(id).filter(|(kind, _)| matches!(*kind, b"irot" | b"imir" | b"clap")).count();
            if transforms > TRANSFORMS {
                return Err(CaptureError::TooCostly);
            }
            match self.kinds.get(&id) {
                Some(b"hvc1") => return self.coded(&[id], u64::MAX, cost, limits),
                Some(b"grid") => {
                    let descriptor = self.data(id)?;
                    let wide = descriptor.get(1).is_some_and(|flags| flags & 1 == 1);
                    let side = |at: usize| {
                        if wide { be32(&descriptor, 4 + 2 * at) } else { be16(&descriptor, 4 + at).map(u32::from) }
                    };
                    let (width, height) = side(0).zip(side(2)).ok_or(CaptureError::Undecodable)?;
                    let tiles = self.references_of(b"dimg", id);
                    return self.coded(tiles, u64::from(width) * u64::from(height), cost, limits);
                }
                Some(b"iden") => match self.references_of(b"dimg", id) {
                    [source] => id = *source,
                    _ => return Err(CaptureError::Undecodable),
                },
                Some(_) => return Err(CaptureError::unsupported("A HEIC of an unusual kind")),
                None => return Err(CaptureError::Undecodable),
            }
        }
        Err(CaptureError::TooCostly)
    }

    /// Adds coded images that make a picture of `whole` pixels.
    fn coded(&self, ids: &[u32], whole: u64, cost: &mut Cost, limits: &Limits) -> Result<(), CaptureError> {
        if ids.len() > TILES {
            return Err(CaptureError::TooCostly);
        }
        let mut seen: BTreeMap<u32, (u64, u64, u64)> = BTreeMap::new();
        let mut pixels = 0_u64;
        for id in ids {
            let one = match seen.get(id) {
                Some(one) => *one,
                None => *seen.entry(*id).or_insert(self.image(*id, cost)?),
            };
            pixels = pixels.saturating_add(one.0);
            cost.configured = cost.configured.saturating_add(one.1);
            cost.copied = cost.copied.saturating_add(one.2);
            cost.coded = cost.coded.saturating_add(one.2);
        }
        // A dependency is decoded as well.
        for id in self.references_of(b"pred", ids.first().copied().unwrap_or_default()) {
            pixels = pixels.saturating_add(self.image(*id, cost)?.0);
        }
        let room = whole.saturating_mul(TILE_PIXELS.0).saturating_add(TILE_PIXELS.1).min(2 * limits.pixels);
        if pixels > room {
            return Err(CaptureError::TooCostly);
        }
        cost.pixels = cost.pixels.saturating_add(pixels.max(if whole == u64::MAX { 0 } else { whole }));
        Ok(())
    }

    /// Pixels, bytes of parameter sets and bytes of one coded image.
    fn image(&self, id: u32, cost: &mut Cost) -> Result<(u64, u64, u64), CaptureError> {
        let configuration = self.properties_of(id).filter(|(kind, _)| *kind == b"hvcC").last();
        let (_, configuration) = configuration.ok_or(CaptureError::Undecodable)?;
        let profile = configuration.get(1).map_or(0, |byte| byte & 31);
        let depth = configuration.get(17).map_or(0, |byte| byte & 7).max(configuration.get(18).map_or(0, |b| b & 7));
        cost.unusual |= profile > 3 || depth > 2;
        let data = self.data(id)?;
        let prefix = configuration.get(21).map_or(4, |byte| usize::from(byte & 3) + 1);
        let mut fields = Fields(&data);
        let mut units = 0;
        while fields.0.len() >= prefix && units <= UNITS {
            let length = fields.number(prefix)? as usize;
            units += 1;
            if fields.bytes(length).is_err() {
                break;
            }
        }
        if units > UNITS {
            return Err(CaptureError::TooCostly);
        }
        Ok((coded_pixels(configuration)?, configuration.len() as u64, data.len() as u64))
    }
}

fn names_opacity(body: &[u8]) -> bool {
    let name = body.get(4..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    name.ends_with(b"auxid:1") || name.ends_with(b"auxiliary:alpha")
}

/// The largest picture that a sequence parameter set of a decoder configuration declares, in pixels.
fn coded_pixels(configuration: &[u8]) -> Result<u64, CaptureError> {
    const SEQUENCE_PARAMETERS: u64 = 33;
    let mut fields = Fields(configuration);
    fields.bytes(22)?;
    let mut most = 0;
    for _ in 0..fields.number(1)? {
        let kind = fields.number(1)? & 63;
        for _ in 0..fields.number(2)? {
            let length = fields.number(2)? as usize;
            let unit = fields.bytes(length)?;
            if kind == SEQUENCE_PARAMETERS {
                most = most.max(parameter_pixels(unit).unwrap_or(0));
            }
        }
    }
    Ok(most)
}

/// Width times height of a sequence parameter set (ITU-T H.265, 7.3.2.2); `None` where it ends before.
fn parameter_pixels(unit: &[u8]) -> Option<u64> {
    // Bytes without those that keep start codes out; the size stands in the first hundred.
    let mut plain = Vec::new();
    for (i, byte) in unit.iter().enumerate().take(256).skip(2) {
        if !(*byte == 3 && i >= 4 && unit[i - 1] == 0 && unit[i - 2] == 0) {
            plain.push(*byte);
        }
    }
    let mut bits = Bits { bytes: &plain, at: 0 };
    bits.take(4)?;
    let layers = bits.take(3)?;
    // Whether layers nest, profile and level.
    bits.take(1 + 88 + 8)?;
    if layers > 0 {
        let present: Vec<(u64, u64)> =
            (0..layers).map(|_| Some((bits.take(1)?, bits.take(1)?))).collect::<Option<_>>()?;
        bits.take(2 * (8 - layers as usize))?;
        for (profile, level) in present {
            bits.take(88 * profile as usize + 8 * level as usize)?;
        }
    }
    bits.golomb()?;
    if bits.golomb()? == 3 {
        bits.take(1)?;
    }
    let (width, height) = (bits.golomb()?, bits.golomb()?);
    width.checked_mul(height)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits; of more than 64 the last 64.
    fn take(&mut self, count: usize) -> Option<u64> {
        let bit = |i: usize| Some(u64::from(*self.bytes.get(i / 8)? >> (7 - i % 8) & 1));
        let value = (self.at..self.at + count).try_fold(0_u64, |value, i| Some(value << 1 | bit(i)?))?;
        self.at += count;
        Some(value)
    }

    /// An exponential Golomb code (9.2).
    fn golomb(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u64 << zeros) - 1 + self.take(zeros)?)
    }
}
