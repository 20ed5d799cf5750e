//! Zones, decisions, classes, numbers and parts of a report → their names in Chinese.

use crate::reading::NumberCode;
use crate::vocabulary::{Classification, Decision, Species, Zone};
use crate::words::Label;

/// As it stands in a sentence.
pub const fn zone(zone: Zone) -> &'static str {
    match zone {
        Zone::UpperLeft => "左上部",
        Zone::UpperMiddle => "上部",
        Zone::UpperRight => "右上部",
        Zone::MiddleLeft => "左部",
        Zone::Middle => "中部",
        Zone::MiddleRight => "右部",
        Zone::LowerLeft => "左下部",
        Zone::LowerMiddle => "下部",
        Zone::LowerRight => "右下部",
    }
}

pub const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "通过",
        Decision::Retake => "重拍",
        Decision::Review => "人工复核",
        Decision::Reject => "拒绝",
    }
}

pub const fn advice(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "无需处理，可以接收。",
        Decision::Retake => "请按上述原因重新拍摄证件原件。",
        Decision::Review => "接收前请人工复核。",
        Decision::Reject => "不要接收；请拍摄证件原件。",
    }
}

pub const fn classification(classification: Classification) -> &'static str {
    match classification {
        Classification::BonaFide => "原件拍摄",
        Classification::Attack(Species::Screen) => "屏幕翻拍",
        Classification::Attack(Species::Print) => "打印件翻拍",
        Classification::Attack(Species::Screenshot) => "截图",
        Classification::NoResponse => "无法判断",
    }
}

pub const fn class(class: Classification) -> &'static str {
    match class {
        Classification::BonaFide => "原件",
        other => classification(other),
    }
}

pub fn number_kind(kind: &str) -> &'static str {
    match kind {
        "resident_id" => "居民身份号码",
        "mrz" => "机读码",
        _ => "统一社会信用代码",
    }
}

pub const fn number_code(code: NumberCode) -> &'static str {
    match code {
        NumberCode::NoneFound => "未找到",
        NumberCode::Unreadable => "未完整读取",
        NumberCode::Illegal => "校验未通过",
        NumberCode::Consistent => "校验通过",
        NumberCode::LowerCaseX => "校验通过，小写 x",
    }
}

pub const fn label(label: Label) -> &'static str {
    match label {
        Label::Screen => "屏幕",
        Label::Print => "打印",
        Label::Legibility => "清晰度",
        Label::ShortLegibility => "清晰",
        Label::Why | Label::Reason => "原因",
        Label::Measured => "测量",
        Label::WhatToDo => "处理：",
        Label::Threshold => "阈值",
        Label::NotExamined => "无法检查",
        Label::Screening => "筛查报告",
        Label::All => "全部",
        Label::Decision => "决定",
        Label::EveryDecision => "全部决定",
        Label::Class => "类别",
        Label::EveryClass => "全部类别",
        Label::EveryReason => "全部原因",
        Label::Search => "搜索",
        Label::NoDocument => "未找到证件",
    }
}
