//! Fact → the sentence in Chinese.

use std::fmt::Display;

use super::name;
use crate::reading::{NumberCode, Title};
use crate::vocabulary::Face;
use crate::words::{Around, DocumentSize, Fact, FileFact, Found, MetadataFact, Scale, TooFine};

pub fn said(fact: &Fact<'_>) -> String {
    match *fact {
        Fact::ModelMissing { model } => format!("未加载模型 {model}。"),
        Fact::NotMeasured { cause } => format!("无法测量：{cause}。"),
        Fact::NoTimeLeft => "时间不足，未测量此项。".into(),
        Fact::Broken => "此项无法测量。".into(),
        Fact::Unscored { cause } => format!("没有评分：{cause}。需人工核查。"),

        Fact::MoireNeedsPixels => "检测摩尔纹至少需要 256 × 256 原始像素。".into(),
        Fact::MoireNone { tiles } => format!("{tiles} 个图块中未见周期性纹理。"),
        Fact::Moire { tiles, alike, pitch_px, angle_deg, luma_db, chroma_db } => format!(
            "{tiles} 个图块中有 {alike} 个存在周期 {pitch_px:.1} 像素、方向 {angle_deg:.0}° 的纹理；亮度谱线高出背景 \
             {luma_db:.1} dB，色度谱线 {chroma_db:.1} dB。"
        ),
        Fact::HalftoneNeedsPixels => "检测印刷网点至少需要 256 × 256 原始像素。".into(),
        Fact::HalftoneNone { tiles } => format!("{tiles} 个图块中未见网点。"),
        Fact::Halftone { tiles, alike, pitch_px, angle_deg, db } => format!(
            "最强网点间距 {pitch_px:.1} 像素、角度 {angle_deg:.0}°，高出背景 {db:.1} dB，见于 {alike} / {tiles} 个图块。"
        ),
        Fact::Bezel { around, dark, bars, edges } => {
            let (second, place) = match around {
                Around::Unknown => (String::new(), "画面四周"),
                Around::Nothing => ("证件外没有第二个矩形；".into(), "其周围"),
                Around::Rectangle { aspect, seen } => {
                    let seen = seen * 100.0;
                    (format!("证件外有第二个矩形（长宽比 {aspect:.2} : 1），其边框可见 {seen:.0} %；"), "其周围")
                }
            };
            format!(
                "{second}{place}有 {:.0} % 为均匀暗色，均匀横竖条占画面 {:.0} %，周围有 {edges} 条平行长边缘。",
                dark * 100.0,
                bars * 100.0
            )
        }
        Fact::ColoursOfPicture { spread } => format!("画面色度离散为 {spread:.1} 级；未找到证件。"),
        Fact::ColoursOfFullDocument { spread } => format!("证件色度离散为 {spread:.1} 级；证件占满画面。"),
        Fact::Colours { document, surround } => {
            format!("证件色度离散为 {document:.1} 级，周围为 {surround:.1} 级。")
        }
        Fact::SheetNeedsBorder => "未找到证件边界。".into(),
        Fact::SheetNeedsPixels => "证件在画面中过小。".into(),
        Fact::Shadow { share: 0.0 } => "没有延伸到证件之外的深色阴影。".into(),
        Fact::Shadow { share } => format!("深色阴影覆盖证件的 {:.0}%，并延伸到证件之外。", 100.0 * share),
        Fact::Sheet { sides: 0 } => "证件四周不是更大的白纸。".into(),
        Fact::Sheet { sides } => format!("证件的白色底面越过 {sides} 条边继续延伸，且无边缘。"),
        Fact::Texture { tiles, screen } => {
            format!("{tiles} 个原始分辨率图块的纹理给出屏幕翻拍的对数几率 {screen:+.1}。")
        }
        Fact::Scene { screen, again: None } => format!("整幅画面给出屏幕翻拍的对数几率 {screen:+.1}。"),
        Fact::Scene { screen, again: Some(again) } => {
            format!("整幅画面给出屏幕翻拍的对数几率 {screen:+.1}，近看主体为 {again:+.1}。")
        }
        Fact::RenderedNeedsPixels => "图片小于一个图块。".into(),
        Fact::Rendered { share, level } => {
            let even = format!("{} 的像素亮度完全相同", percent(100.0 * share));
            match level {
                None => format!("{even}。"),
                Some((count, level)) => {
                    format!("{even}；重复出现的 {count} 个字符中，{} 高度完全一致。", percent(100.0 * level))
                }
            }
        }

        Fact::MetadataNone => "文件不含元数据；应用和浏览器常会将其删除。".into(),
        Fact::Metadata { found } => sentence(found.iter().map(metadata)),
        Fact::File { mime, found } => {
            sentence([format!("文件格式为 {mime}")].into_iter().chain(found.iter().map(file)))
        }

        Fact::SharpnessNeedsEdges => "可供判断清晰度的边缘过少。".into(),
        Fact::Sharpness { width_px } => format!("较清晰的边缘宽度为 {width_px:.1} 像素。"),
        Fact::Glare { count, share, print } => {
            format!("{count} 处过曝反光覆盖 {:.1}% 的面积，{:.1}% 的文字被冲淡。", share * 100.0, print * 100.0)
        }
        Fact::Exposure { of_document, mean, contrast } => {
            let what = if of_document { "证件" } else { "画面" };
            format!("{what}平均亮度为 {mean:.0}（满值 255），对比度为 {contrast:.0}。")
        }
        Fact::FramingNeedsBorder => "未找到证件边界，无法测量取景情况。".into(),
        Fact::FramingFull { print } => {
            format!("未找到证件边界；画面边缘的 {} 处有文字。", percent(100.0 * print))
        }
        Fact::Framing { share, cut, rotation_deg, tilt_deg } => format!(
            "证件占画面的 {:.0} %；有 {cut} 个角被裁切；旋转 {rotation_deg:.0}°，对边夹角 {tilt_deg:.0}°。",
            share * 100.0
        ),
        Fact::Resolution { width, height, megapixels, document } => {
            format!("图片为 {width} × {height} 像素（{megapixels:.1} 百万像素）；{}。", size(document))
        }

        Fact::Located { found, others, device } => located(found, others, device),
        Fact::FaceNeedsDocument => "未找到证件，未判断证件类型。".into(),
        Fact::Face { face: of, share } => format!("看起来是{}（{}）。", face(of), percent(100.0 * share)),
        Fact::PrintNone => "未见文字，无内容可读。".into(),
        Fact::Legible { zones, mean, worst, at } => format!(
            "9 个区域中有 {zones} 个含文字。字符可读概率平均 {}，{}为 {}。",
            percent(100.0 * mean),
            name::zone(at),
            percent(100.0 * worst)
        ),
        Fact::CoverNeedsDocument => "未找到证件，未检查遮挡。".into(),
        Fact::Cover { share, print } if share < 5e-4 && print < 5e-4 => "证件上没有遮挡物。".into(),
        Fact::Cover { share, print } => {
            format!("遮挡占证件的 {:.1}%、文字的 {:.1}%。", share * 100.0, print * 100.0)
        }
        Fact::TitleNeedsDocument => "未找到证件，未读取证件名称。".into(),
        Fact::TitleElsewhere => "此类证件不读取名称。".into(),
        Fact::Title { title: None } => "未能确切读取证件名称。".into(),
        Fact::Title { title: Some(title) } => format!("证件上印有的名称为：{}。", titled(title)),
        Fact::NotAsked => "策略中没有规则需要此项，未检测。".into(),
        Fact::SealNeedsPaper => "仅执照、函件和表格带有印章，未查找。".into(),
        Fact::SealNeedsColour => "图片没有颜色，未查找红色印章。".into(),
        Fact::SealNeedsPixels => "证件在画面中过小，未查找印章。".into(),
        Fact::Seal { found: None } => "未找到大小与印章相当的红色图形。".into(),
        Fact::Seal { found: Some((outline, contrast, saturation)) } => format!(
            "最像红色印章之处有 {} 的外框；笔画比纸面暗 {}，红色程度 {}。",
            percent(100.0 * outline),
            percent(100.0 * contrast),
            percent(100.0 * saturation)
        ),
        Fact::NumberNeedsDocument => "未找到证件，未读取号码。".into(),
        Fact::Number { code } => match code {
            NumberCode::NoneFound => "未在证件文字中找到号码。",
            NumberCode::Unreadable => "找到号码，但未能完整读取。",
            NumberCode::Illegal => "读取到的号码未通过校验。",
            NumberCode::Consistent => "已读取号码，校验通过。",
            NumberCode::LowerCaseX => "号码校验通过，但末位为小写 x。",
        }
        .into(),
        Fact::ValidityNeedsDocument => "未找到证件，未读取有效期限。".into(),
        Fact::ValidityElsewhere => "此类证件或证件面不读取有效期限。".into(),
        Fact::ValidityUnread => "未能确切读取有效期限。".into(),
        Fact::ValidityLongTerm => "证件印有长期有效。".into(),
        Fact::Validity { over: false } => "按证件所印期限，证件在有效期内。".into(),
        Fact::Validity { over: true } => "按证件所印期限，证件已过期。".into(),
        #[cfg(feature = "qr")]
        Fact::Codes { found, read, target, cut_short } => {
            let target = target.map_or_else(String::new, |(scheme, host)| format!("其中一个指向 {scheme}://{host}。"));
            let more = if cut_short { "可能还有更多：定位图案过多，未全部查找。" } else { "" };
            format!("找到 {found} 个二维码，其中 {read} 个可读。{target}{more}")
        }
    }
}

/// A share in hundredths, single or double as it was measured.
fn percent(hundredths: impl Display) -> String {
    format!("{hundredths:.0}%")
}

/// `parts` as one sentence.
fn sentence(parts: impl Iterator<Item = String>) -> String {
    format!("{}。", parts.collect::<Vec<_>>().join("；"))
}

fn metadata(fact: &MetadataFact<'_>) -> String {
    match *fact {
        MetadataFact::CallsItselfScreenshot => "文件自称为屏幕截图".into(),
        MetadataFact::NotOfCamera => "该类文件并非相机所写".into(),
        MetadataFact::Camera { name, tags } => format!("标注相机为 {name}，7 项拍摄参数中有 {tags} 项"),
        MetadataFact::ExifDamaged => "EXIF 数据损坏".into(),
        MetadataFact::Editor { name } => format!("由 {name} 写出"),
        MetadataFact::Scanner { name } => format!("注明为扫描设备 {name}"),
        MetadataFact::Changed { after_s } => format!("拍摄 {after_s} 秒后被修改"),
        MetadataFact::MakerNoteMissing => "缺少厂商自有数据".into(),
        MetadataFact::NothingNamed => "元数据未标注相机或编辑软件".into(),
    }
}

fn file(fact: &FileFact<'_>) -> String {
    match *fact {
        FileFact::Tables { exact, quality } => {
            format!("量化表{} libjpeg 质量 {quality}", if exact { "等于" } else { "接近" })
        }
        FileFact::PhotoshopBlock => "含有 Photoshop 自有数据".into(),
        FileFact::Alpha => "含有透明通道".into(),
        FileFact::SizeOfDisplay { long, short } => format!("{long} × {short} 是常见屏幕尺寸"),
        FileFact::C2pa => "带有 C2PA 清单（未验证）".into(),
        FileFact::DigitalSource { types } => format!("标注的数字来源：{types}"),
    }
}

fn size(document: Option<DocumentSize<'_>>) -> String {
    let Some(DocumentSize { long_px, scale }) = document else {
        return "未找到证件边界，无法换算尺寸".into();
    };
    let long = format!("证件长边 {long_px:.0} 像素");
    let Some(Scale { px_per_mm, dpi, too_fine }) = scale else { return long };
    let fine: Vec<_> = too_fine
        .iter()
        .map(|what| match what {
            TooFine::Halftone => "150 线网点",
            TooFine::TabletGrid => "264 ppi 平板的像素栅格",
            TooFine::PhoneGrid => "460 ppi 手机的像素栅格",
        })
        .collect();
    let few = if fine.is_empty() { String::new() } else { format!("；不足以显示{}", fine.join("、")) };
    format!("{long}，{px_per_mm:.1} 像素/毫米（{dpi:.0} dpi）{few}")
}

fn located(found: Found, others: usize, device: Option<f32>) -> String {
    let found = match found {
        Found::Nothing => "画面中未找到证件。".into(),
        Found::FullFrame => "未找到边框；整幅画面看起来就是证件。".into(),
        Found::Document { edges } => format!("找到证件，边框的 {} 为直边。", percent(100.0 * edges)),
        Found::NoDocument { edges } => {
            format!("找到四边形物体，边框的 {} 为直边，但不是证件。", percent(100.0 * edges))
        }
    };
    let others = match others {
        0 => String::new(),
        _ => format!("另有 {others} 个疑似证件，仅检查最大的一个。"),
    };
    let device = device.map_or_else(String::new, |share| format!("其周围可能有设备（{}）。", percent(100.0 * share)));
    found + &others + &device
}

fn face(face: Face) -> &'static str {
    match face {
        Face::PortraitSide => "证件人像面",
        Face::EmblemSide => "身份证国徽面",
        Face::Card => "其他卡片",
        Face::PassportPage => "护照资料页",
        Face::Licence => "执照或证书",
        Face::Page => "纸质文件",
        Face::None => "非证件",
    }
}

/// What a document calls itself.
const fn titled(title: Title) -> &'static str {
    match title {
        Title::ResidentIdentityCard => "居民身份证",
        Title::TemporaryIdentityCard => "临时居民身份证",
        Title::HongKongMacaoPermit => "港澳居民来往内地通行证",
        Title::TaiwanPermit => "台湾居民来往大陆通行证",
        Title::HongKongMacaoResidencePermit => "港澳居民居住证",
        Title::TaiwanResidencePermit => "台湾居民居住证",
        Title::PermanentResidenceCard => "外国人永久居留身份证",
        Title::ResidencePermit => "居住证",
        Title::BusinessLicence => "营业执照",
        Title::OrganisationCodeCertificate => "组织机构代码证",
        Title::CreditCodeCertificate => "统一社会信用代码证书",
        Title::PublicInstitutionCertificate => "事业单位法人证书",
        Title::SocialOrganisationCertificate => "社会团体法人登记证书",
        Title::PrivateNonEnterpriseCertificate => "民办非企业单位登记证书",
        Title::Letter => "函件",
    }
}
