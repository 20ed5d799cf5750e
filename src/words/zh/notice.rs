//! What the program itself has to say → in Chinese.

use std::io::{self, ErrorKind};

use crate::words::{LeftOut, Notice};

pub fn said(notice: Notice<'_>) -> String {
    match notice {
        Notice::Missing => "文件不存在。".to_owned(),
        Notice::MayNotBeRead => "没有读取该文件的权限。".to_owned(),
        Notice::CannotBeRead { cause } => format!("无法读取该文件：{}", system(cause)),
        Notice::NotAFile => "这不是普通文件。".to_owned(),
        Notice::ChangedMeanwhile => "读取过程中文件发生了变化，请重新检查。".to_owned(),
        Notice::ProgramFailed => "程序处理该文件时出错，其他文件不受影响。".to_owned(),
        Notice::FolderCannotBeRead { cause } => format!("无法读取该文件夹：{}", system(cause)),
        Notice::NoPictures { folder } => format!("{folder}：该文件夹中没有图片"),
        Notice::EmptyList => "标准输入的列表中没有文件".to_owned(),
        Notice::ListCannotBeRead { cause } => format!("无法读取标准输入：{}", system(cause)),
        Notice::CannotBegin { cause } => format!("无法开始：{cause}"),
        Notice::Engine { line } => engine(line),
        Notice::OutputTaken { output } => format!("{output}：另一个任务正在写入该文件，请等待其结束或选择其他输出"),
        Notice::InputWouldBeLost { output, input } => {
            format!("{output} 与要读取的 {input} 是同一个文件，请选择其他输出")
        }
        Notice::OneOutputForTwo { output } => format!("{output}：结果与报告页面不能是同一个文件"),
        Notice::PictureWouldBeLost { output } => {
            format!("{output} 是一张图片，写入会将其覆盖；请选择其他输出或先将其移走")
        }
        Notice::CannotBeWritten { output, cause } => format!("无法写入 {output}：{}", system(cause)),
        Notice::RowsCannotBeWritten { cause } => format!("无法写入结果：{}；此前写入的各行完整", system(cause)),
        Notice::NobodyReads => "读取结果的程序已关闭，其余文件不再检查".to_owned(),
        Notice::NoRowOfScreening { output, line } => {
            format!("{output}：第 {line} 行不是筛查结果，未作任何改动")
        }
        Notice::NoFileToResume { output } => format!("{output} 不是普通文件，无法继续"),
        Notice::JudgedOtherwise { output, held, now } => format!(
            "{output} 中的结果来自 {held}，本次为 {now}；不同规则、模型或版本的结果不能混在一起：请选择其他输出，或去掉 \
             --resume 重新开始"
        ),
        Notice::Summary { counts } => {
            let [accept, retake, review, reject, failed] = counts.by_outcome;
            let before = if counts.earlier > 0 {
                format!("（其中 {} 个此前已检查）", counts.earlier)
            } else {
                String::new()
            };
            format!(
                "{} 个文件{before}：通过 {accept}，重拍 {retake}，人工复核 {review}，拒绝 {reject}，无法检查 {failed}",
                counts.files
            )
        }
        Notice::LeftOut { counts } => {
            let named: Vec<_> = counts.iter().map(|(kind, n)| format!("{} {n} 个", left_out(*kind))).collect();
            format!("未检查的文件：{}", named.join("，"))
        }
        Notice::LookedAtAgain { changed } => format!("{changed} 个文件已改变或此前无法检查，已重新检查"),
        Notice::PageIs { path } => format!("报告页面：{path}"),
        Notice::BrokenOff => "已中断；已写入的各行完整，可用 --resume 继续".to_owned(),
        Notice::BrokenOffPage => "已中断，未包含全部文件。".to_owned(),
        Notice::NotShownAgain { count } => format!("{count} 张图片已不在原处或已改变，对应的行不含图片。"),
    }
}

/// What the system says, where it is one of the common reasons; in its own words otherwise.
fn system(error: &io::Error) -> String {
    let known = match error.kind() {
        ErrorKind::NotFound => "路径不存在",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "磁盘已满",
        ErrorKind::FileTooLarge => "文件过大",
        ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        ErrorKind::IsADirectory => "这是一个文件夹",
        ErrorKind::NotADirectory => "这不是文件夹",
        ErrorKind::BrokenPipe => "管道已关闭",
        _ => return error.to_string(),
    };
    known.to_owned()
}

/// Which engine runs, with the path or cause that the line names.
fn engine(line: &str) -> String {
    for (english, chinese) in [
        ("models run on ONNX Runtime", "模型由 ONNX Runtime 运行"),
        ("models run on the embedded engine", "模型由内置引擎运行"),
    ] {
        if let Some(rest) = line.strip_prefix(english) {
            return format!("{chinese}{rest}");
        }
    }
    line.to_owned()
}

const fn left_out(kind: LeftOut) -> &'static str {
    match kind {
        LeftOut::Video => "视频",
        LeftOut::Hidden => "非图片的隐藏文件",
        LeftOut::Other => "其他非图片文件",
        LeftOut::Unreadable => "没有权限读取的文件",
        LeftOut::FolderLink => "指向文件夹的链接",
        LeftOut::DeadLink => "失效的链接",
        LeftOut::Special => "管道、套接字或设备",
    }
}
