//! How many cores a machine size has, and which family's quota it counts against.
//!
//! Names follow "Azure virtual machine sizes naming conventions" (learn.microsoft.com, read 2026-11): family letters, the number of
//! vCPUs, features, an accelerator, a version. So the number in the name is the cores. Sizes that are older than the convention
//! stand in a table. Of constrained sizes (`E64-16s`) all cores count and not only those that can be used, so that a quota is never
//! taken for larger than it is.

/// What a machine size means for quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmSize {
    /// The cores of one machine.
    pub cores: u32,
    /// The family whose quota they count against, as the service writes it: `standardDSv5Family`. Compare by
    /// [`same_family`], for the service is not of one mind about case, spaces and underscores.
    pub family: String,
}

/// No machine has more cores; a larger number in a name is no count of cores.
const CORES_MAX: u32 = 2048;

/// Sizes whose number is not their count of cores.
#[rustfmt::skip] // A table: its rows stay together.
const OLDER: &[(&str, u32)] = &[
    ("extrasmall", 1), ("small", 1), ("medium", 2), ("large", 4), ("extralarge", 8),
    ("a0", 1), ("a1", 1), ("a2", 2), ("a3", 4), ("a4", 8), ("a5", 2), ("a6", 4), ("a7", 8),
    ("a8", 8), ("a9", 16), ("a10", 8), ("a11", 16),
    ("d1", 1), ("d2", 2), ("d3", 4), ("d4", 8), ("d11", 2), ("d12", 4), ("d13", 8), ("d14", 16),
    ("d1v2", 1), ("d2v2", 2), ("d3v2", 4), ("d4v2", 8), ("d5v2", 16),
    ("d11v2", 2), ("d12v2", 4), ("d13v2", 8), ("d14v2", 16), ("d15v2", 20), ("d15iv2", 20),
    ("ds1", 1), ("ds2", 2), ("ds3", 4), ("ds4", 8), ("ds11", 2), ("ds12", 4), ("ds13", 8), ("ds14", 16),
    ("ds1v2", 1), ("ds2v2", 2), ("ds3v2", 4), ("ds4v2", 8), ("ds5v2", 16),
    ("ds11v2", 2), ("ds12v2", 4), ("ds13v2", 8), ("ds14v2", 16), ("ds15v2", 20), ("ds15iv2", 20),
    ("ds111v2", 2), ("ds121v2", 4), ("ds122v2", 4), ("ds132v2", 8), ("ds134v2", 8), ("ds144v2", 16), ("ds148v2", 16),
    ("g1", 2), ("g2", 4), ("g3", 8), ("g4", 16), ("g5", 32),
    ("gs1", 2), ("gs2", 4), ("gs3", 8), ("gs4", 16), ("gs5", 32), ("gs44", 16), ("gs48", 16), ("gs58", 32), ("gs516", 32),
];

/// Families that are not named after their sizes, by the name that the rule gives.
#[rustfmt::skip] // A table: its rows stay together.
const OTHERWISE: &[(&str, &str)] = &[
    ("ncast4v3", "Standard NCASv3_T4 Family"),
    ("ndasv4", "Standard NDASv4_A100 Family"),
    ("b", "standardBSFamily"),
    ("hbs", "standardHBSFamily"),
    ("hbsv2", "standardHBrsv2Family"),
];

/// Returns what a size such as `standard_d4s_v3` means for quotas, in any case; `None` when its name does not say.
pub fn vm_size(name: &str) -> Option<VmSize> {
    let lower = name.trim().to_ascii_lowercase();
    let size = lower
        .strip_prefix("standard_")
        .or_else(|| lower.strip_prefix("basic_"))
        .unwrap_or(&lower);
    let flat: String = size.chars().filter(char::is_ascii_alphanumeric).collect();
    let flat = flat.strip_suffix("promo").unwrap_or(&flat);
    let older = OLDER.iter().find(|(name, _)| *name == flat);
    let cores = older.map_or_else(|| numbered(size), |(_, cores)| Some(*cores))?;
    Some(VmSize {
        cores,
        family: family(size),
    })
}

/// Says whether two names mean the same family: case, spaces, underscores and the words around it are no matter.
pub fn same_family(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

fn key(family: &str) -> String {
    let lower = family.to_ascii_lowercase();
    let flat: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let flat = flat.strip_prefix("standard").unwrap_or(&flat);
    flat.strip_suffix("family").unwrap_or(flat).to_owned()
}

/// Returns the number after the family's letters.
fn numbered(size: &str) -> Option<u32> {
    let letters = size.find(|c: char| c.is_ascii_digit())?;
    let begins = size[..letters].chars().all(|c| c.is_ascii_alphabetic());
    let digits = size[letters..].chars().take_while(char::is_ascii_digit);
    let cores: u32 = digits.collect::<String>().parse().ok()?;
    (letters > 0 && begins && (1..=CORES_MAX).contains(&cores)).then_some(cores)
}

/// Returns the family by its rule: the letters, the features but those that only say how much memory or which network a size of
/// the family has, the accelerator, the version.
fn family(size: &str) -> String {
    let (first, rest) = size.split_once('_').unwrap_or((size, ""));
    let letters: String = first.chars().take_while(char::is_ascii_alphabetic).collect();
    let features = first[letters.len()..]
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
        .chars()
        .filter(|c| !matches!(c, 'm' | 'r' | 't'));
    let mut name = letters.to_ascii_uppercase();
    name.extend(features.map(|c| c.to_ascii_uppercase()));
    for part in rest.split('_').filter(|part| !part.is_empty()) {
        let is_version = part.starts_with('v') && part[1..].chars().all(|c| c.is_ascii_digit());
        match part {
            // A number alone tells sizes of one family apart.
            _ if part.chars().all(|c| c.is_ascii_digit()) => {}
            "promo" => name.push_str("Promo"),
            _ if is_version => name.push_str(part),
            _ => name.push_str(&part.to_ascii_uppercase()),
        }
    }
    let lower = name.to_ascii_lowercase();
    let named = OTHERWISE.iter().find(|(rule, _)| *rule == lower);
    named.map_or_else(
        || format!("standard{name}Family"),
        |(_, family)| (*family).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_family_follow_from_the_name() {
        for (name, cores, family) in [
            ("standard_d4s_v3", 4, "standardDSv3Family"),
            ("STANDARD_D2_V3", 2, "standardDv3Family"),
            ("Standard_D96ads_v5", 96, "standardDADSv5Family"),
            ("Standard_E64-16s_v3", 64, "standardESv3Family"),
            ("standard_a1_v2", 1, "standardAv2Family"),
            ("standard_a2m_v2", 2, "standardAv2Family"),
            ("Standard_D3_v2", 4, "standardDv2Family"),
            ("Standard_DS13-4_v2", 8, "standardDSv2Family"),
            ("Standard_D14_v2_Promo", 16, "standardDv2PromoFamily"),
            ("Standard_G5", 32, "standardGFamily"),
            ("Standard_F8s_v2", 8, "standardFSv2Family"),
            ("Standard_H16mr", 16, "standardHFamily"),
            ("Standard_HB120rs_v2", 120, "standardHBrsv2Family"),
            ("Standard_NC24rs_v3", 24, "standardNCSv3Family"),
            ("Standard_NC4as_T4_v3", 4, "Standard NCASv3_T4 Family"),
            ("Standard_NV36ads_A10_v5", 36, "standardNVADSA10v5Family"),
            ("Standard_B2ms", 2, "standardBSFamily"),
            ("d8s_v5", 8, "standardDSv5Family"),
        ] {
            let size = vm_size(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((size.cores, size.family.as_str()), (cores, family), "{name}");
        }
        for name in [
            "",
            "standard_",
            "standard_d_v3",
            "standard_99999999999x",
            "großer",
            "standard_0x",
        ] {
            assert_eq!(vm_size(name), None, "{name}");
        }
    }

    #[test]
    fn families_are_the_same_however_they_are_written() {
        assert!(same_family("standardDSv5Family", "Standard DSv5 Family"));
        assert!(same_family("DSv5", "standardDSv5Family"));
        assert!(same_family(
            "StandardNVADSA10v5Family",
            "standardNVADSA10v5Family"
        ));
        assert!(!same_family("standardDSv5Family", "standardDSv4Family"));
    }
}
