//! Risk → what is wrong and what to do, in Chinese, to the one who took the photograph.

use super::name;
use crate::vocabulary::{Face, Zone};
use crate::words::Risk;

pub fn said(risk: Risk, face: Option<Face>, zone: Option<Zone>, suspected: bool) -> String {
    let (thing, place) = (thing(face), zone.map(name::zone));
    match risk {
        Risk::ScreenRecapture if suspected => "不能排除为翻拍屏幕。将由人工核查；直接拍摄原件最稳妥。".into(),
        Risk::ScreenRecapture => "疑似翻拍屏幕。请直接拍摄证件原件。".into(),
        Risk::PrintRecapture if suspected => "不能排除为复印件或打印件。将由人工核查；直接拍摄原件最稳妥。".into(),
        Risk::PrintRecapture => "疑似复印件或打印件。请拍摄证件原件。".into(),
        Risk::GreyCopy if suspected => "证件几乎没有颜色，不能排除为黑白复印件。将由人工核查。".into(),
        Risk::GreyCopy => "证件没有颜色。请拍摄彩色原件，不要使用黑白复印件。".into(),
        Risk::GreyPicture => "照片为黑白。请拍摄彩色照片。".into(),
        Risk::NumberIllegal => "证件号码未通过校验。如画面清晰完整，请核查证件。".into(),
        Risk::NumberUnread => format!("{thing}号码有部分无法读取。请避免反光或遮挡号码。"),
        Risk::Screenshot => "这是截屏，不是照片。请用相机拍摄证件原件。".into(),
        Risk::ElectronicCopy if suspected => {
            "画面过于均匀或字符排列过于齐整，不能排除为电子件或扫描件。将由人工核查。".into()
        }
        Risk::ElectronicCopy => "这是电子图片，不是照片。请用相机拍摄证件原件。".into(),
        Risk::CutShort => "检查时间不足，未能完成全部检查。将由人工审核，也可重新上传。".into(),
        Risk::Edited => "文件经过图片编辑软件保存。请上传相机拍摄的原始照片。".into(),
        Risk::Illegible => match place {
            Some(place) => format!("{thing}{place}不够清晰。请保持稳定、对焦后重新拍摄。"),
            None => format!("{thing}内容不够清晰。请保持稳定、对焦后重新拍摄。"),
        },
        Risk::Blurred => format!("照片失焦。请点击{thing}对焦，保持适当距离后重新拍摄。"),
        Risk::Moved => "拍摄时手机抖动。请双手持稳后重新拍摄。".into(),
        Risk::Compressed => "图片压缩过度，文字受损。请上传原始照片，不要使用聊天软件转发的图片。".into(),
        Risk::Covered => match place {
            Some(place) => format!("{thing}{place}被遮挡。请捏住边缘或平放{thing}，完整露出内容。"),
            None => format!("{thing}被遮挡。请捏住边缘或平放{thing}，完整露出内容。"),
        },
        Risk::Shadow => "文字上有阴影。请调整位置，避免身体或手机遮挡光线。".into(),
        Risk::UnexpectedDocument => "上传的证件或证件面与要求不符。请按提示拍摄。".into(),
        Risk::Mirrored => "照片为镜像。请使用后置摄像头，不要翻转照片。".into(),
        Risk::QrMismatch => "二维码内容与印刷号码不一致。请核查证件。".into(),
        Risk::Glare => match place {
            Some(place) => format!("{thing}{place}有反光。请将{thing}倾斜，避开灯光。"),
            None => format!("{thing}上有反光。请将{thing}倾斜，避开灯光。"),
        },
        Risk::Dark => "照片过暗。请开灯或移到更亮的地方。".into(),
        Risk::Overexposed => "照片过亮。请避开直射光后重新拍摄。".into(),
        Risk::NoDocument => "画面中未找到完整的证件。请将证件放在平整的背景上，拍全四个角。".into(),
        Risk::NoPrint => "几乎未找到可读的文字。请让证件充满画面，对焦并保持稳定后重新拍摄。".into(),
        Risk::SeveralDocuments => "画面中有多个疑似证件。请每次只拍一件。".into(),
        Risk::CutOff => format!("{thing}边角不完整。请拍全四个角。"),
        Risk::Tilted => format!("拍摄角度过斜。请将相机正对{thing}。"),
        Risk::TooSmall => format!("{thing}上的文字在画面中过小。请靠近拍摄，使{thing}充满画面。"),
        Risk::Expired => format!("{thing}已过期（见{}）。请使用在有效期内的{thing}。", term(face)),
        Risk::ExpiresSoon => format!("{thing}有效期剩余时间不足（见{}）。请使用有效期更长的{thing}。", term(face)),
        Risk::SentAgain => "这张图片此前已提交过，未通过的原因相同。请重新拍摄一张。".into(),
        Risk::AttemptsExhausted => "多次拍摄均未通过，将由人工核查这一张，您无需再次上传。".into(),
        Risk::SealMissing => format!("{thing}上未见红色印章。请拍摄加盖印章的原件，并拍全印章。"),
        Risk::SealUnclear => "红色印章过淡，无法辨认。请在光线充足处拍摄原件，不要使用滤镜；必要时重新盖章。".into(),
        Risk::PortraitCovered => covered("头像", thing),
        Risk::EmblemCovered => covered("国徽", thing),
        Risk::QrCovered => covered("二维码", thing),
        Risk::NumberCovered => covered("号码", thing),
        Risk::TemporaryCard => "这是临时居民身份证。请拍摄正式的居民身份证；如尚未领取，请联系工作人员。".into(),
        Risk::NotUpright => format!("画面中的{thing}方向不正。请旋转照片或正向重新拍摄。"),
        Risk::Scanned => format!("这是扫描件。请用相机拍摄{thing}原件。"),
        Risk::FormatRefused => "不接受此文件格式。请上传 JPEG 或 PNG 格式的照片。".into(),
        Risk::FileTooSmall => "文件小于要求的大小。请上传相机拍摄的原始照片，不要上传压缩后的图片。".into(),
        Risk::FileTooLarge => "文件超过大小限制。请在保持清晰的前提下降低分辨率后上传。".into(),
    }
}

/// Where its validity stands.
const fn term(face: Option<Face>) -> &'static str {
    match face {
        Some(Face::EmblemSide) => "国徽面最下一行“有效期限”",
        Some(Face::Licence) => "“营业期限”",
        Some(Face::PassportPage) => "资料页底部机读码",
        _ => "有效期",
    }
}

fn covered(field: &str, thing: &str) -> String {
    format!("{thing}的{field}被遮挡。请捏住边缘或平放{thing}，完整露出内容。")
}

/// What the document is called to the one who photographed it.
const fn thing(face: Option<Face>) -> &'static str {
    match face {
        Some(Face::PassportPage) => "护照",
        Some(Face::Licence) => "证照",
        Some(Face::Page) => "文件",
        Some(Face::PortraitSide | Face::EmblemSide | Face::Card | Face::None) | None => "证件",
    }
}
