//! A line of print → the kind of document that it names, where that was surely read.

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use super::{Line, half_width};

/// Confidence that every character of a name must have.
const SURE: f32 = 0.9;
/// Characters that may stand beside the name of an official document: 中华人民共和国 and one more.
const BESIDE: usize = 8;
/// The longest title of a letter, in characters.
const LETTER: usize = 16;

/// What a document calls itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Title {
    /// 居民身份证.
    ResidentIdentityCard,
    /// 临时居民身份证.
    TemporaryIdentityCard,
    /// 港澳居民来往内地通行证.
    HongKongMacaoPermit,
    /// 台湾居民来往大陆通行证.
    TaiwanPermit,
    /// 港澳居民居住证.
    HongKongMacaoResidencePermit,
    /// 台湾居民居住证.
    TaiwanResidencePermit,
    /// 外国人永久居留身份证, and the 外国人永久居留证 before it.
    PermanentResidenceCard,
    /// 居住证, of another province.
    ResidencePermit,
    /// 营业执照.
    BusinessLicence,
    /// 组织机构代码证.
    OrganisationCodeCertificate,
    /// 统一社会信用代码证书.
    CreditCodeCertificate,
    /// 事业单位法人证书.
    PublicInstitutionCertificate,
    /// 社会团体法人登记证书.
    SocialOrganisationCertificate,
    /// 民办非企业单位登记证书.
    PrivateNonEnterpriseCertificate,
    /// A letter of authority, commitment or proof: a line that ends in 授权书, 委托书, 承诺书, 证明 or the like.
    Letter,
}

impl Title {
    /// The name in the JSON contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What is printed, longer names before those that they hold.
const NAMES: [(&str, Title); 15] = [
    ("港澳居民来往内地通行证", Title::HongKongMacaoPermit),
    ("台湾居民来往大陆通行证", Title::TaiwanPermit),
    ("民办非企业单位登记证书", Title::PrivateNonEnterpriseCertificate),
    ("社会团体法人登记证书", Title::SocialOrganisationCertificate),
    ("统一社会信用代码证书", Title::CreditCodeCertificate),
    ("外国人永久居留身份证", Title::PermanentResidenceCard),
    ("外国人永久居留证", Title::PermanentResidenceCard),
    ("事业单位法人证书", Title::PublicInstitutionCertificate),
    ("临时居民身份证", Title::TemporaryIdentityCard),
    ("港澳居民居住证", Title::HongKongMacaoResidencePermit),
    ("台湾居民居住证", Title::TaiwanResidencePermit),
    ("组织机构代码证", Title::OrganisationCodeCertificate),
    ("居民身份证", Title::ResidentIdentityCard),
    ("营业执照", Title::BusinessLicence),
    ("居住证", Title::ResidencePermit),
];

/// How titles of letters end.
const LETTERS: [&str; 9] = ["授权委托书", "授权书", "委托书", "承诺书", "责任书", "说明书", "申请书", "核验单", "证明"];

/// The kind of document that `line` names and the confidence of its least sure character; `None` where it names none, is
/// longer than a title, or was not surely read.
#[must_use]
pub fn of_line(line: &Line) -> Option<(Title, f32)> {
    let read = line.text.chars().map(half_width).zip(line.confidence.iter().copied());
    let read: Vec<(char, f32)> = read.filter(|(c, _)| c.is_alphanumeric()).collect();
    let least = |part: &[(char, f32)]| part.iter().map(|(_, confidence)| *confidence).fold(1.0, f32::min);
    let is = |part: &[(char, f32)], name: &str| part.iter().map(|(c, _)| *c).eq(name.chars());
    for (name, title) in NAMES {
        let length = name.chars().count();
        if read.len() > length + BESIDE {
            continue;
        }
        if let Some(part) = read.windows(length).find(|part| is(part, name)) {
            // A longer name of which one character was misread is no other document for that.
            let all_sure = least(&read) >= SURE;
            return all_sure.then(|| (title, least(part)));
        }
    }
    let ends = LETTERS.iter().any(|name| {
        let length = name.chars().count();
        read.len() >= length && is(&read[read.len() - length..], name)
    });
    (ends && read.len() <= LETTER && least(&read) >= SURE).then(|| (Title::Letter, least(&read)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, confidence: f32) -> Line {
        let count = text.chars().count();
        Line { text: text.to_owned(), confidence: vec![confidence; count], at: (0..count).map(|i| i as f32).collect() }
    }

    fn named(text: &str) -> Option<Title> {
        of_line(&line(text, 0.95)).map(|(title, _)| title)
    }

    #[test]
    fn the_longest_name_that_stands_there_is_the_title() {
        assert_eq!(named("居民身份证"), Some(Title::ResidentIdentityCard));
        assert_eq!(named("中华人民共和国临时居民身份证"), Some(Title::TemporaryIdentityCard));
        assert_eq!(named("营 业 执 照 （副本）"), Some(Title::BusinessLicence));
        assert_eq!(named("台湾居民居住证"), Some(Title::TaiwanResidencePermit));
        assert_eq!(named("网站备案授权委托书"), Some(Title::Letter));
        for (name, title) in NAMES {
            assert_eq!(named(name), Some(title), "{name}");
        }
    }

    #[test]
    fn a_sentence_that_mentions_one_and_what_was_not_surely_read_are_none() {
        assert_eq!(named("本人居民身份证号码如下请贵单位予以核对"), None);
        assert_eq!(named("上述情况属实如有虚假愿意承担一切责任特此证明"), None);
        assert_eq!(named(""), None);
        assert!(of_line(&line("营业执照", 0.8)).is_none());
        let mut one = line("临时居民身份证", 0.99);
        one.text = "临寸居民身份证".to_owned();
        one.confidence[1] = 0.5;
        assert!(of_line(&one).is_none(), "a misread temporary card is no resident card");
    }
}
