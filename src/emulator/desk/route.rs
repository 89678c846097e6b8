//! Which request is carried out by what: the table of the REST API.

use super::Desk;
use super::node::Restart;
use super::refuse;
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;

impl Desk {
    /// Carries out one request at the account's present moment.
    ///
    /// # Errors
    /// The service's refusal.
    pub fn answer(&mut self, asked: &Asked, body: &[u8]) -> Result<Answer, Refused> {
        let path = asked.path.trim_matches('/').to_owned();
        let parts: Vec<String> = path.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let is_write = !matches!(asked.method.as_str(), "GET" | "HEAD");
        let answer = self.route(asked, &parts, body);
        if is_write {
            self.n_changes += 1;
            self.calm();
        }
        let about = format!("/{path}");
        answer.map(|answer| if is_write { answer.about(about) } else { answer })
    }

    fn route(&mut self, asked: &Asked, parts: &[&str], body: &[u8]) -> Result<Answer, Refused> {
        let first = parts[0].to_ascii_lowercase();
        match (first.as_str(), &parts[1..]) {
            ("pools", rest) => self.route_pools(asked, rest, body),
            ("jobs", rest) => self.route_jobs(asked, rest, body),
            ("nodecounts", []) if asked.method == "GET" => self.list_node_counts(asked),
            ("poolusagemetrics", []) if asked.method == "GET" => Self::list_usage(asked),
            ("nodecounts" | "poolusagemetrics", []) => Err(wrong_verb()),
            _ => Err(no_such_address()),
        }
    }

    fn route_pools(&mut self, asked: &Asked, parts: &[&str], body: &[u8]) -> Result<Answer, Refused> {
        let verb = asked.method.as_str();
        match (verb, parts) {
            ("GET", []) => self.list_pools(asked),
            ("POST", []) => self.add_pool(body),
            ("GET", [id]) => self.get_pool(id, asked),
            ("HEAD", [id]) => {
                let pool = self.pool(self.find_pool(id)?);
                asked.meets(&pool.etag(), pool.modified)?;
                Ok(Answer::empty(200).version(pool.etag(), pool.modified))
            }
            ("PATCH", [id]) => {
                let number = self.find_pool_to_write(id, asked)?;
                self.patch_pool(number, body)
            }
            ("DELETE", [id]) => {
                let number = self.find_pool_to_write(id, asked)?;
                self.delete_pool(number);
                Ok(Answer::empty(202))
            }
            ("GET", [id, nodes]) if nodes.eq_ignore_ascii_case("nodes") => self.list_nodes(id, asked),
            ("GET", [id, nodes, node]) if nodes.eq_ignore_ascii_case("nodes") => {
                self.get_node(id, node, asked)
            }
            ("POST", [id, nodes, node, action]) if nodes.eq_ignore_ascii_case("nodes") => {
                self.act_on_node(id, node, action, body)
            }
            ("POST", [id, action]) => self.act_on_pool(id, action, asked, body),
            (_, [] | [_] | [_, _] | [_, _, _] | [_, _, _, _]) => Err(wrong_verb()),
            _ => Err(no_such_address()),
        }
    }

    fn act_on_pool(&mut self, id: &str, action: &str, asked: &Asked, body: &[u8]) -> Result<Answer, Refused> {
        let action = action.to_ascii_lowercase();
        let known = [
            "resize",
            "stopresize",
            "removenodes",
            "enableautoscale",
            "disableautoscale",
            "evaluateautoscale",
            "updateproperties",
        ];
        if !known.contains(&action.as_str()) {
            return Err(no_such_address());
        }
        let number = self.find_pool_to_write(id, asked)?;
        let status = match action.as_str() {
            "evaluateautoscale" => return self.evaluate_auto_scale(number, body),
            "updateproperties" => return self.update_pool(number, body),
            "resize" => self.resize_pool(number, body).map(|()| 202),
            "stopresize" => self.stop_resizing(number).map(|()| 202),
            "removenodes" => self.remove_nodes(number, body).map(|()| 202),
            "enableautoscale" => self.enable_auto_scale(number, body).map(|()| 200),
            _ => {
                self.disable_autoscale(number);
                Ok(200)
            }
        }?;
        let pool = self.pool(number);
        Ok(Answer::empty(status).version(pool.etag(), pool.modified))
    }

    fn act_on_node(&mut self, pool: &str, node: &str, action: &str, body: &[u8]) -> Result<Answer, Refused> {
        let pool = self.find_pool_to_write(pool, &Asked::default())?;
        let node = self.find_node(pool, node)?;
        let status = match action.to_ascii_lowercase().as_str() {
            "disablescheduling" => self.disable_scheduling(node, body).map(|()| 200),
            "enablescheduling" => self.enable_scheduling(node).map(|()| 200),
            "reboot" => self.restart_node(node, Restart::Reboot, body).map(|()| 202),
            "reimage" => self.restart_node(node, Restart::Reimage, body).map(|()| 202),
            "deallocate" => self.restart_node(node, Restart::Deallocate, body).map(|()| 202),
            "start" => self.start_deallocated(node).map(|()| 202),
            _ => Err(no_such_address()),
        }?;
        Ok(Answer::empty(status))
    }

    fn route_jobs(&mut self, asked: &Asked, parts: &[&str], body: &[u8]) -> Result<Answer, Refused> {
        let verb = asked.method.as_str();
        let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
        match (verb, parts) {
            ("GET", []) => self.list_jobs(asked),
            ("POST", []) => self.add_job(body),
            ("GET", [id]) => self.get_job(id, asked),
            ("PUT" | "PATCH", [id]) => {
                let number = self.find_job_to_write(id, asked)?;
                self.change_job(number, body, verb == "PUT")
            }
            ("DELETE", [id]) => {
                let number = self.find_job_to_write(id, asked)?;
                self.delete_job(number);
                Ok(Answer::empty(202))
            }
            ("GET", [id, counts]) if is(counts, "taskcounts") => self.task_counts(id),
            ("GET", [id, tasks]) if is(tasks, "tasks") => self.list_tasks(id, asked),
            ("POST", [id, tasks]) if is(tasks, "tasks") => {
                let job = self.find_job(id)?;
                self.add_task(job, body)
            }
            ("POST", [id, action]) if is(action, "addtaskcollection") => {
                let job = self.find_job(id)?;
                self.add_tasks(job, body, &asked.base)
            }
            ("POST", [id, action]) => self.act_on_job(id, action, asked, body),
            (_, [id, tasks, task, rest @ ..]) if is(tasks, "tasks") => {
                self.route_task(asked, id, task, rest, body)
            }
            (_, [] | [_] | [_, _]) => Err(wrong_verb()),
            _ => Err(no_such_address()),
        }
    }

    fn act_on_job(&mut self, id: &str, action: &str, asked: &Asked, body: &[u8]) -> Result<Answer, Refused> {
        let action = action.to_ascii_lowercase();
        if !["disable", "enable", "terminate"].contains(&action.as_str()) {
            return Err(no_such_address());
        }
        let number = self.find_job_to_write(id, asked)?;
        match action.as_str() {
            "disable" => self.disable_job(number, body),
            "enable" => self.enable_job(number),
            _ => self.terminate_job(number, body),
        }?;
        let job = &self.jobs[&number];
        Ok(Answer::empty(202).version(job.etag(), job.modified))
    }

    fn route_task(
        &mut self,
        asked: &Asked,
        job: &str,
        task: &str,
        rest: &[&str],
        body: &[u8],
    ) -> Result<Answer, Refused> {
        let job = self.find_job(job)?;
        match (asked.method.as_str(), rest) {
            ("GET", []) => self.get_task(job, task, asked),
            ("PUT", []) => {
                let task = self.find_task_to_write(job, task, asked)?;
                self.update_task(task, body)
            }
            ("DELETE", []) => {
                let task = self.find_task_to_write(job, task, asked)?;
                self.delete_task(task);
                Ok(Answer::empty(200))
            }
            ("POST", [action]) => {
                let task = self.find_task_to_write(job, task, asked)?;
                match action.to_ascii_lowercase().as_str() {
                    "terminate" => self.terminate(task),
                    "reactivate" => self.reactivate(task),
                    _ => Err(no_such_address()),
                }?;
                let task = self.task(task);
                Ok(Answer::empty(204).version(task.etag(), task.modified))
            }
            (_, [] | [_]) => Err(wrong_verb()),
            _ => Err(no_such_address()),
        }
    }
}

fn no_such_address() -> Refused {
    refuse::not_found("ResourceNotFound")
}

fn wrong_verb() -> Refused {
    Refused::new(
        405,
        "UnsupportedHttpVerb",
        "The resource doesn't support the specified Http Verb.",
    )
}

/// Decodes `%2F` and its like; what is no such code stays as it is.
fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = part
            .get(at + 1..at + 3)
            .filter(|hex| bytes[at] == b'%' && hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn parts_of_paths_are_decoded() {
        for (part, expected) in [
            ("a%2Db", "a-b"),
            ("50%", "50%"),
            ("%zz", "%zz"),
            ("%+5", "%+5"),
            ("%c3%bc", "ü"),
            ("ü%2", "ü%2"),
        ] {
            assert_eq!(decoded(part), expected);
        }
    }
}
