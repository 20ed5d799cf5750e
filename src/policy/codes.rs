//! Risk codes: what each says, in two languages with its fix, and what other services call it.

use serde::Serialize;

use super::Decision;
use crate::evidence::MarkKind;
use crate::vocabulary::{Face, Species, Zone};

/// One risk, and its names elsewhere (from the services' public API references).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Code {
    /// Our name.
    pub code: &'static str,
    /// What is wrong and what to do, in English.
    pub en: &'static str,
    /// The same in Chinese.
    pub zh: &'static str,
    /// The same where the place on the document is known, `{}` for its name: English and Chinese.
    #[serde(skip)]
    pub at: Option<(&'static str, &'static str)>,
    /// The same where the risk is only suspected and a person looks: English and Chinese.
    #[serde(skip)]
    pub suspected: Option<(&'static str, &'static str)>,
    /// Tencent `VerifyGeneralCardWarn` / `IDCardOCR`.
    pub tencent: Option<&'static str>,
    /// Baidu `idcard`.
    pub baidu: Option<&'static str>,
    /// Onfido or Veriff.
    pub onfido_veriff: Option<&'static str>,
    /// The species it classifies as, for a risk that is an attack.
    #[serde(skip)]
    pub species: Option<Species>,
    /// Marks that show it on the picture.
    #[serde(skip)]
    pub shown_by: &'static [MarkKind],
}

/// What a document is called in a sentence to the one who photographed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

impl Thing {
    /// What `face` is called; a document of whatever kind where it is not known.
    #[must_use]
    pub const fn of(face: Option<Face>) -> Self {
        let (en, zh) = match face {
            Some(Face::PortraitSide | Face::EmblemSide | Face::Card) => ("card", "证件"),
            Some(Face::PassportPage) => ("passport", "护照"),
            Some(Face::Licence) => ("certificate", "证照"),
            Some(Face::Page) => ("page", "文件"),
            Some(Face::None) | None => ("document", "证件"),
        };
        Self { en, zh }
    }
}

impl Code {
    /// Whether marks of `kind` show it; a pattern is shown by its spectrum too.
    #[must_use]
    pub fn shows(&self, kind: MarkKind) -> bool {
        let kind = if kind == MarkKind::Spectrum { MarkKind::Pattern } else { kind };
        self.shown_by.contains(&kind)
    }

    /// What is wrong with `thing` and what to do, in English and Chinese; with the place where that is known, and as a
    /// suspicion where a person looks.
    #[must_use]
    pub fn told(&self, action: Decision, zone: Option<Zone>, thing: Thing) -> (String, String) {
        let (en, zh) = match (self.suspected.filter(|_| action == Decision::Review), self.at, zone) {
            (Some(suspected), ..) => suspected,
            (None, Some(at), Some(_)) => at,
            _ => (self.en, self.zh),
        };
        let (place, place_zh) = zone.map_or(("", ""), Zone::name);
        (en.replace("{thing}", thing.en).replace("{}", place), zh.replace("{thing}", thing.zh).replace("{}", place_zh))
    }
}

/// Every risk a policy may name.
pub const CODES: &[Code] = &[
    Code {
        code: "screen_recapture",
        en: "This looks like a photograph of a screen. Photograph the original document itself.",
        zh: "疑似翻拍屏幕。请直接拍摄证件原件。",
        at: None,
        suspected: Some((
            "It cannot be ruled out that this is a photograph of a screen. A person will look at it; a photograph of the original itself is surest.",
            "不能排除为翻拍屏幕。将由人工核查；直接拍摄原件最稳妥。",
        )),
        tencent: Some("RemakeScreen (-9103)"),
        baidu: Some("risk_type=screen"),
        onfido_veriff: Some("photo_of_screen / 504"),
        species: Some(Species::Screen),
        shown_by: &[MarkKind::Heat, MarkKind::Device, MarkKind::Pattern],
    },
    Code {
        code: "print_recapture",
        en: "This looks like a print or photocopy. Photograph the original document itself.",
        zh: "疑似复印件或打印件。请拍摄证件原件。",
        at: None,
        suspected: Some((
            "It cannot be ruled out that this is a print or photocopy. A person will look at it; a photograph of the original itself is surest.",
            "不能排除为复印件或打印件。将由人工核查；直接拍摄原件最稳妥。",
        )),
        tencent: Some("Copy (-9102)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("document_on_printed_paper / 505"),
        species: Some(Species::Print),
        shown_by: &[MarkKind::Halftone],
    },
    Code {
        code: "grey_copy",
        en: "The document shows no colour. Photograph the original in colour, not a black-and-white copy.",
        zh: "证件没有颜色。请拍摄彩色原件，不要使用黑白复印件。",
        at: None,
        suspected: Some((
            "The document shows hardly any colour; a black-and-white copy cannot be ruled out. A person will look at it.",
            "证件几乎没有颜色，不能排除为黑白复印件。将由人工核查。",
        )),
        tencent: Some("Copy (-9108)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("document_on_printed_paper / 505"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        code: "grey_picture",
        en: "The photograph is black and white. Photograph the document in colour.",
        zh: "照片为黑白。请拍摄彩色照片。",
        at: None,
        suspected: None,
        tencent: Some("Copy (-9108)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "number_illegal",
        en: "The document's number does not hold together. If it is sharp and whole, the document should be looked at.",
        zh: "证件号码未通过校验。如画面清晰完整，请核查证件。",
        at: None,
        suspected: None,
        tencent: Some("-9109"),
        baidu: Some("idcard_number_type 0"),
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        code: "number_unread",
        en: "Part of the {thing}'s number cannot be read. Keep reflections and fingers off it.",
        zh: "{thing}号码有部分无法读取。请避免反光或遮挡号码。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        code: "screenshot",
        en: "This is a screenshot, not a photograph. Take a photograph of the original with the camera.",
        zh: "这是截屏，不是照片。请用相机拍摄证件原件。",
        at: None,
        suspected: None,
        tencent: Some("Screenshot"),
        baidu: Some("截屏"),
        onfido_veriff: Some("screenshot"),
        species: Some(Species::Screenshot),
        shown_by: &[],
    },
    Code {
        code: "electronic_copy",
        en: "This is an electronic picture of the document, not a photograph. Photograph the original with the camera.",
        zh: "这是电子图片，不是照片。请用相机拍摄证件原件。",
        at: None,
        suspected: Some((
            "The picture is as even as only a drawn or scanned page is; an electronic copy cannot be ruled out. A person will look at it.",
            "画面过于均匀，不能排除为电子件或扫描件。将由人工核查。",
        )),
        tencent: Some("Screenshot"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("digital_document / 502"),
        species: Some(Species::Screenshot),
        shown_by: &[],
    },
    Code {
        code: "cut_short",
        en: "There was no time to look at everything. A person looks at the picture, or send it again.",
        zh: "检查时间不足，未能完成全部检查。将由人工审核，也可重新上传。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[],
    },
    Code {
        code: "edited",
        en: "The file was saved by an image editor. Send the photograph as the camera took it.",
        zh: "文件经过图片编辑软件保存。请上传相机拍摄的原始照片。",
        at: None,
        suspected: None,
        tencent: Some("Ps (-9106)"),
        baidu: Some("edit_tool"),
        onfido_veriff: Some("digital_tampering / 506"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "illegible",
        en: "The {thing} cannot be read well. Hold still, let the camera focus, and photograph it again.",
        zh: "{thing}内容不够清晰。请保持稳定、对焦后重新拍摄。",
        at: Some((
            "The {} of the {thing} cannot be read well. Hold still, let the camera focus, and photograph it again.",
            "{thing}{}不够清晰。请保持稳定、对焦后重新拍摄。",
        )),
        suspected: None,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        code: "blurred",
        en: "The picture is out of focus. Tap on the {thing} to focus, keep a hand's width away, and photograph it again.",
        zh: "照片失焦。请点击{thing}对焦，保持适当距离后重新拍摄。",
        at: None,
        suspected: None,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        code: "moved",
        en: "The camera moved. Hold it still with both hands, or rest your elbows, and photograph the {thing} again.",
        zh: "拍摄时手机抖动。请双手持稳后重新拍摄。",
        at: None,
        suspected: None,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        code: "compressed",
        en: "The picture was compressed until its print suffered. Send the photograph itself, not a copy from a messenger.",
        zh: "图片压缩过度，文字受损。请上传原始照片，不要使用聊天软件转发的图片。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        code: "covered",
        en: "Something covers part of the {thing}. Hold it by its edges, or lay it down, and show all of it.",
        zh: "{thing}被遮挡。请捏住边缘或平放{thing}，完整露出内容。",
        at: Some((
            "Something covers the {} of the {thing}. Hold it by its edges, or lay it down, and show all of it.",
            "{thing}{}被遮挡。请捏住边缘或平放{thing}，完整露出内容。",
        )),
        suspected: None,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover],
    },
    Code {
        code: "shadow",
        en: "A shadow lies over the print. Move so that neither you nor the phone stands in the light.",
        zh: "文字上有阴影。请调整位置，避免身体或手机遮挡光线。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        code: "unexpected_document",
        en: "This is not the document, or not the side of it, that was asked for. Photograph the one that is named.",
        zh: "上传的证件或证件面与要求不符。请按提示拍摄。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: Some("image_status=reversed_side / other_type_card"),
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        code: "mirrored",
        en: "The picture is mirrored. Use the rear camera, and do not flip the photograph.",
        zh: "照片为镜像。请使用后置摄像头，不要翻转照片。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        code: "qr_mismatch",
        en: "The QR code says another number than the print. The document should be looked at.",
        zh: "二维码内容与印刷号码不一致。请核查证件。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Code],
    },
    Code {
        code: "glare",
        en: "A reflection covers part of the {thing}. Tilt the {thing} away from the lamp.",
        zh: "{thing}上有反光。请将{thing}倾斜，避开灯光。",
        at: Some((
            "A reflection covers the {} of the {thing}. Tilt the {thing} away from the lamp.",
            "{thing}{}有反光。请将{thing}倾斜，避开灯光。",
        )),
        suspected: None,
        tencent: Some("Reflection (-9107)"),
        baidu: Some("over_exposure"),
        onfido_veriff: Some("glare"),
        species: None,
        shown_by: &[MarkKind::Glare],
    },
    Code {
        code: "dark",
        en: "The picture is too dark. Turn on a light or move to a brighter place.",
        zh: "照片过暗。请开灯或移到更亮的地方。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: Some("over_dark"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "overexposed",
        en: "The picture is too bright. Avoid direct light and photograph it again.",
        zh: "照片过亮。请避开直射光后重新拍摄。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: Some("over_exposure"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "no_document",
        en: "No document was found in the picture. Lay it on a plain surface and show all four corners.",
        zh: "画面中未找到证件。请将证件放在平整的背景上，拍全四个角。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "no_print",
        en: "No print that can be read was found. Fill the picture with the document, let the camera focus, and hold still.",
        zh: "未找到可读的文字。请让证件充满画面，对焦并保持稳定后重新拍摄。",
        at: None,
        suspected: None,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "several_documents",
        en: "Several things that may be documents lie in the picture. Photograph one at a time.",
        zh: "画面中有多个疑似证件。请每次只拍一件。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        code: "cut_off",
        en: "Part of the {thing} lies outside the picture. Show all four corners.",
        zh: "{thing}边角不完整。请拍全四个角。",
        at: None,
        suspected: None,
        tencent: Some("BorderIncomplete (-9101)"),
        baidu: Some("IsComplete"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cut],
    },
    Code {
        code: "tilted",
        en: "The {thing} is seen too much from the side. Hold the camera straight above it.",
        zh: "拍摄角度过斜。请将相机正对{thing}。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        code: "too_small",
        en: "The print of the {thing} is too small in the picture. Move closer until the {thing} fills the frame.",
        zh: "{thing}上的文字在画面中过小。请靠近拍摄，使{thing}充满画面。",
        at: None,
        suspected: None,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
];

/// The entry of `code`.
#[must_use]
pub fn code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|entry| entry.code == code)
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn sentences_fit_the_thing_and_leave_no_blanks() {
        for entry in CODES {
            for action in [Decision::Retake, Decision::Review, Decision::Reject] {
                for face in Face::VARIANTS.iter().copied().map(Some).chain([None]) {
                    for zone in [None, Some(Zone::Middle)] {
                        let (en, zh) = entry.told(action, zone, Thing::of(face));
                        assert!(!en.contains(['{', '}']) && !zh.contains(['{', '}']), "{en} {zh}");
                    }
                }
            }
        }
        let glare = code("glare").expect("listed");
        let told = |face| glare.told(Decision::Retake, None, Thing::of(Some(face))).0;
        assert!(told(Face::Page).contains("Tilt the page") && told(Face::Card).contains("Tilt the card"));
    }
}
