//! The benchmark formula in other embedded languages. Each closure gives the untruncated targets from samples that
//! already lie in the language's own values: nothing is converted while the clock runs.

use cel::{Context, Program, Value};
use mlua::{Function, Lua, Table};
use rhai::{AST, Array, Dynamic, Engine, Scope};

const DEDICATED: f64 = 3.0;

pub(crate) fn lua(samples: &[f64]) -> impl FnMut() -> (f64, f64) {
    let lua = Lua::new();
    let script = "
        return function(v, present, dedicated)
            local samples = 100 * present / 30
            local tasks
            if samples < 70 then
                tasks = math.max(0, v[1])
            else
                local sum = 0
                for i = 1, #v do sum = sum + v[i] end
                tasks = math.max(v[1], sum / #v)
            end
            local vms = tasks > 0 and tasks or math.max(0, dedicated / 2)
            local one = math.max(0, math.min(vms, 20))
            return one, math.max(0, math.min(tasks * 2 - one, 40))
        end";
    let function: Function = lua.load(script).eval().expect("the script loads");
    let table: Table = lua
        .create_sequence_from(samples.iter().copied())
        .expect("a table");
    let present = samples.len();
    move || {
        let _ = &lua;
        function
            .call((&table, present, DEDICATED))
            .expect("the function runs")
    }
}

pub(crate) fn rhai(samples: &[f64]) -> impl FnMut() -> (f64, f64) {
    let mut engine = Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::Full);
    let script = "
        let samples = 100.0 * present / 30.0;
        let tasks = 0.0;
        if samples < 70.0 {
            tasks = max(0.0, v[0]);
        } else {
            let sum = 0.0;
            for x in v { sum += x; }
            tasks = max(v[0], sum / present);
        }
        let vms = if tasks > 0.0 { tasks } else { max(0.0, dedicated / 2.0) };
        one = max(0.0, min(vms, 20.0));
        other = max(0.0, min(tasks * 2.0 - one, 40.0));";
    let ast: AST = engine.compile(script).expect("the script compiles");
    let mut scope = Scope::new();
    let array: Array = samples.iter().map(|x| Dynamic::from_float(*x)).collect();
    scope.push("v", array);
    scope.push("present", samples.len() as f64);
    scope.push("dedicated", DEDICATED);
    scope.push("one", 0.0_f64);
    scope.push("other", 0.0_f64);
    let kept = scope.len();
    move || {
        engine
            .run_ast_with_scope(&mut scope, &ast)
            .expect("the script runs");
        scope.rewind(kept);
        (
            scope.get_value("one").expect("a float"),
            scope.get_value("other").expect("a float"),
        )
    }
}

/// CEL has no statements: six programs, each result bound for the next. It has no fold, `max` or `min` either; the sum is
/// a chain of additions, and comparisons choose.
pub(crate) fn cel(samples: &[f64]) -> impl FnMut() -> (f64, f64) {
    let sum: Vec<String> = (0..samples.len()).map(|i| format!("v[{i}]")).collect();
    let compile = |source: &str| Program::compile(source).expect("the program compiles");
    let programs = [
        ("samples", compile("100.0 * present / 30.0")),
        ("mean", compile(&format!("({}) / present", sum.join(" + ")))),
        (
            "tasks",
            compile("samples < 70.0 ? (v[0] > 0.0 ? v[0] : 0.0) : (v[0] > mean ? v[0] : mean)"),
        ),
        (
            "vms",
            compile("tasks > 0.0 ? tasks : (dedicated > 0.0 ? dedicated / 2.0 : 0.0)"),
        ),
        ("one", compile("vms < 20.0 ? (vms > 0.0 ? vms : 0.0) : 20.0")),
        (
            "other",
            compile("tasks * 2.0 - one < 40.0 ? (tasks * 2.0 - one > 0.0 ? tasks * 2.0 - one : 0.0) : 40.0"),
        ),
    ];
    let mut root = Context::default();
    root.add_variable_from_value("v", samples.to_vec());
    root.add_variable_from_value("present", samples.len() as f64);
    root.add_variable_from_value("dedicated", DEDICATED);
    move || {
        let mut context = root.new_inner_scope();
        let mut last = (0.0, 0.0);
        for (name, program) in &programs {
            let value = program.execute(&context).expect("the program runs");
            let Value::Float(number) = value else {
                panic!("{name} is no float: {value:?}")
            };
            last = (last.1, number);
            context.add_variable_from_value(*name, number);
        }
        last
    }
}
