//! Adding lines: one statement checks the fence and adds them, so that nothing can come between the two.

use std::sync::PoisonError;

use super::lead::ACCOUNT;
use super::{Postgres, StoreError, StoreFault};
use crate::store::facts::Facts;
use crate::store::halts::milliseconds;

/// More of a line's sentences is not looked into; PostgreSQL takes no more than a megabyte of words.
const SAID_BYTES_MAX: usize = 64 << 10;

/// Lines as columns.
#[derive(Default)]
struct Columns {
    at: Vec<i64>,
    kind: Vec<&'static str>,
    pool: Vec<Option<String>>,
    policy: Vec<Option<String>>,
    verdict: Vec<Option<String>>,
    dedicated: Vec<Option<i64>>,
    spot: Vec<Option<i64>>,
    held_dedicated: Vec<Option<i64>>,
    held_spot: Vec<Option<i64>>,
    price_dedicated: Vec<Option<f64>>,
    price_spot: Vec<Option<f64>>,
    codes: Vec<String>,
    said: Vec<String>,
    line: Vec<String>,
}

const ADD: &str = "
    WITH leads AS (
        SELECT 1 FROM lowtide_lead
        WHERE name = $1 AND token = $2 AND fence = $3 AND expires_at > clock_timestamp() FOR SHARE
    ), added AS (
        INSERT INTO lowtide_ledger (at, kind, pool, policy, verdict, dedicated, spot, held_dedicated, held_spot,
            price_dedicated, price_spot, found_by, line)
        SELECT at, kind, pool, policy, verdict, dedicated, spot, held_dedicated, held_spot,
            price_dedicated, price_spot,
            array_to_tsvector(string_to_array(codes, ' ')) || to_tsvector('simple', said), line
        FROM leads, unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::bigint[], $13::float8[], $14::float8[], $15::text[], $16::text[], $17::text[])
            WITH ORDINALITY AS lines (at, kind, pool, policy, verdict, dedicated, spot, held_dedicated, held_spot,
            price_dedicated, price_spot, codes, said, line, place)
        ORDER BY place
        RETURNING number
    )
    SELECT max(number) FROM added";

impl Postgres {
    /// Adds lines, all or none, and returns the number of the last; there is at least one.
    pub(in crate::store) fn append_all(&self, lines: &[&str]) -> Result<u64, StoreError> {
        if self.read_only {
            let message = format!("{} was opened to read from it alone", self.name);
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        let facts = lines.iter().map(|line| Facts::read(line));
        let facts: Vec<Facts> = facts.collect::<Result<_, _>>()?;
        let (fence, token) = (self.fence()?, self.token.clone());
        let mut prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = prices.clone();
        let mut columns = Columns::default();
        for (line, facts) in lines.iter().zip(facts) {
            if let Some(prices) = &facts.prices {
                known.clone_from(prices);
            }
            let price = facts
                .policy
                .as_ref()
                .and_then(|policy| known.get(policy))
                .copied();
            columns.push(line, facts, price);
        }
        let number = self.ask(async move |client| {
            let add = client.prepare_cached(ADD).await?;
            let row = client
                .query_one(
                    &add,
                    &[
                        &ACCOUNT,
                        &token,
                        &fence,
                        &columns.at,
                        &columns.kind,
                        &columns.pool,
                        &columns.policy,
                        &columns.verdict,
                        &columns.dedicated,
                        &columns.spot,
                        &columns.held_dedicated,
                        &columns.held_spot,
                        &columns.price_dedicated,
                        &columns.price_spot,
                        &columns.codes,
                        &columns.said,
                        &columns.line,
                    ],
                )
                .await?;
            row.try_get::<_, Option<i64>>(0)
        });
        // What the server has said is certain; where it has said nothing, nobody knows.
        if number
            .as_ref()
            .is_err_and(|error| error.fault == StoreFault::Away)
        {
            self.be_unsure();
        }
        match number? {
            Some(number) => {
                *prices = known;
                Ok(number.cast_unsigned())
            }
            None => Err(self.lost_lead()),
        }
    }
}

impl Columns {
    fn push(&mut self, line: &str, facts: Facts, price: Option<[f64; 2]>) {
        let (target, held) = (facts.target, facts.held);
        self.at.push(milliseconds(facts.at));
        self.kind.push(facts.kind.word());
        self.dedicated.push(target.map(|mix| mix.dedicated.0.into()));
        self.spot.push(target.map(|mix| mix.spot.0.into()));
        self.held_dedicated.push(held.map(|mix| mix.dedicated.0.into()));
        self.held_spot.push(held.map(|mix| mix.spot.0.into()));
        self.price_dedicated.push(price.map(|price| price[0]));
        self.price_spot.push(price.map(|price| price[1]));
        let codes = facts
            .reasons
            .split_whitespace()
            .map(|code| format!("r:{}", code.to_lowercase()));
        let pool = facts.pool.iter().map(|pool| format!("p:{}", pool.to_lowercase()));
        self.codes.push(codes.chain(pool).collect::<Vec<_>>().join(" "));
        let end = facts.text.floor_char_boundary(SAID_BYTES_MAX);
        // PostgreSQL has no text with a NUL in it; the line has it escaped.
        self.said.push(facts.text[..end].replace('\0', " "));
        self.pool.push(facts.pool);
        self.policy.push(facts.policy);
        self.verdict.push(facts.verdict);
        self.line.push(line.to_owned());
    }
}
