//! A path of MIDV-2019 → an original, as MIDV-500 has it, under other conditions and by other cameras.

use super::Set;
use super::midv_500::frame;

/// Frames of clips of the documents of MIDV-500, held at strong angles or in low light, all original captures: Bulatov
/// et al. (2019).
pub(super) static SET: Set = Set {
    name: "midv-2019",
    home: "ftp://smartengines.com/midv-500/extra/midv-2019/",
    licence: "see its page",
    layout: "<document type>/images/<DG|DX|LG|LX>/<frame>, such as 01_alb_id/images/DG/DG01_01.tif",
    fate: |row| frame(row, &CONDITIONS, &DEVICES),
};

const CONDITIONS: [(char, &str); 2] = [('D', "distortion"), ('L', "low-light")];
const DEVICES: [(char, &str); 2] = [('G', "Samsung Galaxy S10"), ('X', "Apple iPhone XS Max")];

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, rows, taken};
    use super::super::{ImportError, midv_500};
    use super::*;
    use crate::benchmark::labels::Label;

    #[test]
    fn midv_2019_shares_the_documents_of_midv_500_but_not_its_conditions() {
        let files = ["05_aze_passport/images/DG/DG01_01.tif", "05_aze_passport/images/LX/LX02_07.tif"];
        let imported = taken(&SET, &files);
        assert_eq!(
            rows(&imported),
            [
                (files[0], Label::Original, "distortion", "midv-500/05_aze_passport/DG01"),
                (files[1], Label::Original, "low-light", "midv-500/05_aze_passport/LX02"),
            ]
        );
        assert_eq!(imported.labels.samples[1].device.as_deref(), Some("Apple iPhone XS Max"));
        assert_eq!(imported.labels.samples[1].document_id.as_deref(), Some("midv-500/05_aze_passport"));
        assert!(matches!(refused(&midv_500::SET, &files), ImportError::Layout { .. }));
    }
}
