//! What the command line names: files and standard input that are read, the files in a directory, places for what is written.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::exit::{Failure, Source};
use crate::base::{Code, CodeRow, Diagnostic};
use crate::world::files_below;

/// No formula, policy or script comes near; a larger file is another file than the one that was meant.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

const UNREADABLE: Code = Code("C001");
const NOT_TEXT: Code = Code("C002");
const TOO_LARGE: Code = Code("C003");
const UNWRITABLE: Code = Code("C004");
pub(super) const EXISTS: Code = Code("C005");

/// What the codes of this room mean.
#[rustfmt::skip] // A table: its rows stay together.
pub(super) const CODES: &[CodeRow] = &[
    CodeRow::new(UNREADABLE, "a file cannot be read", "Check the name and the permissions."),
    CodeRow::new(NOT_TEXT, "a file is not UTF-8 text", "Save it as UTF-8."),
    CodeRow::new(TOO_LARGE, "a file is larger than 16 MiB", "Name the file that was meant; no formula, policy or script comes near."),
    CodeRow::new(UNWRITABLE, "a file cannot be written", "Check its permissions and the space on the disk."),
    CodeRow::new(EXISTS, "a file would be written over", "Name another directory, or write over it with `--force`."),
];

/// Reads a text file, or standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Source, Failure> {
    as_text(path, read_bytes(path))
}

/// Reads a text file that may be compressed by gzip, or standard input for `-`.
pub(super) fn read_inflated(path: &Path) -> Result<Source, Failure> {
    as_text(path, read_bytes(path).and_then(inflated))
}

/// Returns what gzip has compressed, up to a byte more than is read; other bytes as they are.
fn inflated(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(BYTES_MAX + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

fn as_text(path: &Path, bytes: io::Result<Vec<u8>>) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let fail = |text: String, fault: Diagnostic| Err(Failure::Text(Source::new(&name, text), vec![fault]));
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return fail(String::new(), unreadable(path, &error)),
    };
    if bytes.len() as u64 > BYTES_MAX {
        let fault = Diagnostic::error(TOO_LARGE, 0..0, format!("`{name}` is larger than 16 MiB"));
        return fail(String::new(), fault.help("name the file that was meant"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(&name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes()[at];
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let message = format!("the byte {byte:#04x} is not UTF-8 text");
            let fault = Diagnostic::error(NOT_TEXT, at..at + '\u{FFFD}'.len_utf8(), message);
            fail(text, fault.help("save the file as UTF-8"))
        }
    }
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = BYTES_MAX + 1;
    if path.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Returns what is wrong with a file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let name = path.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{name}`"),
        io::ErrorKind::PermissionDenied => format!("`{name}` may not be read"),
        io::ErrorKind::IsADirectory => format!("`{name}` is a directory, and a file is wanted"),
        _ => format!("`{name}` cannot be read: {error}"),
    };
    let help = match error.kind() {
        io::ErrorKind::NotFound => near(path),
        io::ErrorKind::PermissionDenied => Some("check its permissions".to_owned()),
        io::ErrorKind::IsADirectory => Some("name a file in it".to_owned()),
        _ => None,
    };
    let fault = Diagnostic::error(UNREADABLE, 0..0, message);
    match help {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// Says, before anything is done for it, whether a file can be written whole where it is wanted: in a folder that is there, and in
/// the place of nothing but a file.
pub(super) fn may_be_replaced(path: &Path) -> Result<(), Failure> {
    let refused = |message: String, help: &str| {
        let fault = Diagnostic::error(UNWRITABLE, 0..0, message).help(help);
        let source = Source::named(&path.to_string_lossy());
        Err(Failure::Text(source, vec![fault]))
    };
    let name = path.display();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => refused(
            format!("`{name}` is a directory, and a file is to be written"),
            "name a file in it",
        ),
        Ok(found) if !found.is_file() => refused(
            format!("`{name}` is no file, and is not replaced by one"),
            "name another file",
        ),
        Ok(_) => Ok(()),
        Err(_) if folder(path).is_dir() => Ok(()),
        Err(_) => refused(
            format!(
                "there is no directory `{}` to write `{name}` to",
                folder(path).display()
            ),
            "make it first, or name another file",
        ),
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Returns the failure of a command that cannot write a file.
pub(super) fn not_written(path: &Path, error: &io::Error) -> Failure {
    let source = Source::named(&path.to_string_lossy());
    Failure::Text(source, vec![unwritable(path, error)])
}

/// Returns what is wrong with a file that cannot be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Diagnostic {
    let fault = Diagnostic::error(
        UNWRITABLE,
        0..0,
        format!("`{}` cannot be written: {error}", path.display()),
    );
    fault.help("check its permissions and the space on the disk")
}

/// Looks for the file that was meant.
fn near(path: &Path) -> Option<String> {
    let folder = folder(path);
    let Ok(entries) = fs::read_dir(folder) else {
        return Some(format!("there is no directory `{}` either", folder.display()));
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    let meant = crate::base::did_you_mean(wanted, names.iter().map(String::as_str))?;
    Some(format!(
        "did you mean `{}`?",
        path.with_file_name(meant).display()
    ))
}

/// Returns the named files, and in the place of a directory the files under it that `wanted` picks, in order of name.
pub(super) fn expand(paths: &[PathBuf], wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            let found = files_below(path, &|file| file.is_file() && wanted(file), &mut files);
            found.map_err(|(folder, error)| {
                let source = Source::named(&folder.display().to_string());
                Failure::Text(source, vec![unreadable(&folder, &error)])
            })?;
            if files.len() == before {
                let message = format!("there is nothing to do in the directory `{}`", path.display());
                let fault = Diagnostic::error(UNREADABLE, 0..0, message);
                let source = Source::named(&path.display().to_string());
                let help = "name a file, or a directory with *.formula, *.yaml or *.test files";
                return Err(Failure::Text(source, vec![fault.help(help)]));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Says whether a file's name ends in `.formula`.
pub(super) fn is_formula(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "formula")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_gzip_has_compressed_is_inflated_up_to_the_limit_and_the_rest_is_left() {
        let compressed = |bytes: &[u8]| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap()
        };
        assert_eq!(inflated(compressed(b"a,b\n")).unwrap(), b"a,b\n");
        assert_eq!(inflated(b"a,b\n".to_vec()).unwrap(), b"a,b\n");
        let endless = compressed(&vec![b'0'; 20 << 20]);
        assert_eq!(inflated(endless).unwrap().len() as u64, BYTES_MAX + 1);
        let cut = &compressed(b"a long enough text to be cut")[..20];
        assert!(inflated(cut.to_vec()).is_err());
    }
}
