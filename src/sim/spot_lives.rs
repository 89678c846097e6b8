//! How long spot machines last by themselves, whatever their unit does.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::SupplyError;
use super::draw::exponential;
use crate::base::Span;

/// How long spot machines last.
#[derive(Clone, Debug, PartialEq)]
pub enum Lives {
    /// With the same chance to go at any age.
    Constant {
        /// Evictions of a machine in an hour, above zero.
        per_hour: f64,
    },
    /// As recorded ones did.
    Recorded(LifeTable),
}

/// How many of recorded machines lasted how long, by the estimate of Kaplan and Meier: a machine that its owner stopped
/// counts as one of those that were there up to then, and tells nothing of what would have come.
#[derive(Clone, Debug, PartialEq)]
pub struct LifeTable {
    /// Ages at which machines were taken, and the share that outlived each; ages rise and shares fall.
    steps: Vec<(Span, f64)>,
    n_lives: usize,
}

impl Lives {
    /// Draws how long a machine lasts; `None` when it is not taken.
    pub fn draw(&self, chance: &mut Pcg64Mcg) -> Option<Span> {
        match self {
            Self::Constant { per_hour } => Some(Span::from_seconds(exponential(chance) / per_hour * 3600.0)),
            Self::Recorded(table) => table.age_outlived_by(chance.random::<f64>()),
        }
    }
}

impl LifeTable {
    /// Returns the table of lives, each with whether the provider ended it.
    ///
    /// # Errors
    /// When the provider ended none.
    pub fn new(mut lives: Vec<(Span, bool)>) -> Result<Self, SupplyError> {
        // At one age machines are taken before their owners stop them, as the estimate has it.
        lives.sort_unstable_by_key(|(life, taken)| (*life, !taken));
        let mut steps: Vec<(Span, f64)> = Vec::new();
        let mut share = 1.0;
        for (index, (life, _)) in lives.iter().enumerate().filter(|(_, (_, taken))| *taken) {
            share *= 1.0 - 1.0 / (lives.len() - index) as f64;
            match steps.last_mut() {
                Some(last) if last.0 == *life => last.1 = share,
                _ => steps.push((*life, share)),
            }
        }
        if steps.is_empty() {
            return Err(SupplyError {
                line: None,
                message: "the provider ended none of the recorded machines".to_owned(),
                help: "give lifetimes of which some end with `preempted`".to_owned(),
            });
        }
        Ok(Self {
            n_lives: lives.len(),
            steps,
        })
    }

    /// Reads a table with the columns `life_s` and `end_kind`, which is `preempted` when the provider ended the machine.
    ///
    /// # Errors
    /// With the first line that does not have them.
    pub fn read(text: &str) -> Result<Self, SupplyError> {
        let wrong = |line: usize, message: String| SupplyError {
            line: Some(line),
            message,
            help: "give a table with the columns `life_s`, in seconds, and `end_kind`".to_owned(),
        };
        let mut lines = text.lines().zip(1..);
        let header: Vec<&str> = lines
            .next()
            .map_or_else(Vec::new, |(line, _)| line.split(',').map(str::trim).collect());
        let column = |name: &str| {
            let at = header.iter().position(|column| *column == name);
            at.ok_or_else(|| wrong(1, format!("the column `{name}` is missing")))
        };
        let (life_at, end_at) = (column("life_s")?, column("end_kind")?);
        let mut lives = Vec::new();
        for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split(',').map(str::trim).collect();
            let life = cells.get(life_at).and_then(|cell| cell.parse::<f64>().ok());
            let (Some(life), Some(end)) = (life.filter(|life| (0.0..=1e9).contains(life)), cells.get(end_at))
            else {
                return Err(wrong(number, format!("`{line}` is no lifetime")));
            };
            lives.push((Span::from_seconds(life), *end == "preempted"));
        }
        Self::new(lives)
    }

    /// Returns how many lives were recorded.
    pub const fn n_lives(&self) -> usize {
        self.n_lives
    }

    /// Returns the share of machines that last longer than an age.
    pub fn survival(&self, age: Span) -> f64 {
        let passed = self.steps.partition_point(|(step, _)| *step <= age);
        passed.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }

    /// Returns the first age that no more than a share of the machines outlives; `None` when more outlive every one.
    fn age_outlived_by(&self, share: f64) -> Option<Span> {
        let at = self.steps.partition_point(|(_, outlive)| *outlive > share);
        self.steps.get(at).map(|(age, _)| *age)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn machines_that_their_owner_stopped_were_there_up_to_then() {
        // Of five, one goes at 10; two are stopped at 20; of the other two one goes at 30, the last is stopped at 40.
        let text = "zone,life_s,end_kind\nz,30,preempted\nz,20,stopped_by_user\nz,10,preempted\nz,20,stopped_by_user\nz,40,x\n";
        let table = LifeTable::read(text).unwrap();
        for (age, share) in [(9, 1.0), (10, 0.8), (29, 0.8), (30, 0.4), (1000, 0.4)] {
            assert!(
                (table.survival(Span::seconds(age)) - share).abs() < 1e-12,
                "{age}"
            );
        }
        let lives = Lives::Recorded(table);
        let mut chance = Pcg64Mcg::seed_from_u64(1);
        let drawn: Vec<_> = (0..10_000).map(|_| lives.draw(&mut chance)).collect();
        let share = |life: Option<Span>| drawn.iter().filter(|drawn| **drawn == life).count() as f64 / 1e4;
        assert!((share(Some(Span::seconds(10))) - 0.2).abs() < 0.02);
        assert!((share(Some(Span::seconds(30))) - 0.4).abs() < 0.03);
        assert!((share(None) - 0.4).abs() < 0.03);
    }

    #[test]
    fn lifetimes_that_cannot_be_read_say_where() {
        for (text, expected) in [
            ("a,b\n", "line 1: the column `life_s`"),
            ("life_s,end_kind\n7\n", "line 2: `7` is no lifetime"),
            ("life_s,end_kind\n7,stopped\n", "ended none"),
        ] {
            let error = LifeTable::read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
