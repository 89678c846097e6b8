// Reads the corpus of formulas, scripts and policies with the engine that editors read grammars with: node grammar.mjs MODULES REFERENCE.
//
// MODULES is the folder of vscode-textmate, vscode-oniguruma and tm-grammars (for YAML); REFERENCE is what
// `lowtide reference -o json` prints, so that the names that are coloured are those that there are.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, referenceFile] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "index.js"));
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const bundle = "editors/textmate";
const manifest = JSON.parse(readFileSync(`${bundle}/package.json`, "utf8"));
const reference = JSON.parse(readFileSync(referenceFile, "utf8"));
const faults = [];
const expect = (holds, fault) => holds || faults.push(fault);

const files = new Map(manifest.contributes.grammars.map((grammar) => [grammar.scopeName, path.join(bundle, grammar.path)]));
files.set("source.yaml", require.resolve("tm-grammars/grammars/yaml.json"));
await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
const registry = new Registry({
    onigLib: Promise.resolve({
        createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
        createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => (files.has(scope) ? parseRawGrammar(readFileSync(files.get(scope), "utf8"), files.get(scope)) : null),
    getInjections: (scope) => manifest.contributes.grammars.filter((grammar) => grammar.injectTo?.includes(scope)).map((grammar) => grammar.scopeName),
});
const formulas = await registry.loadGrammar("source.autoscale-formula");
const scripts = await registry.loadGrammar("source.lowtide-script");
const yaml = await registry.loadGrammar("source.yaml");

/** The tokens of a text: line, text and its innermost scope first. */
function tokens(grammar, text) {
    let state = INITIAL;
    return text.split(/\r?\n/).flatMap((line, index) => {
        const read = grammar.tokenizeLine(line, state);
        state = read.ruleStack;
        return read.tokens.map((token) => ({
            line: index + 1,
            first: line.slice(0, token.startIndex).trim() === "",
            text: line.slice(token.startIndex, token.endIndex),
            scopes: token.scopes.toReversed(),
        }));
    });
}

const scopeOf = (grammar, text, word) => tokens(grammar, text).find((token) => token.text === word)?.scopes[0] ?? "nothing";
const wrong = (grammar, text) => tokens(grammar, text).filter((token) => token.scopes[0].startsWith("invalid"));

function found(ending, folder = ".") {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) return ["target", "node_modules", ".git"].includes(entry.name) ? [] : found(ending, file);
        return file.endsWith(ending) ? [file] : [];
    });
}

// What is known is coloured as what it is.
const kinds = [
    [reference.functions, (name) => [`x = ${name}(1);`, name], "support.function.formula"],
    [reference.methods, (name) => [`x = $PendingTasks.${name}(1);`, name], "support.function.method.formula"],
    [reference.members, (name) => [`x = time().${name};`, name], "variable.other.property.formula"],
    [reference.constants, (name) => [`x = ${name} * 2;`, name], "constant.language.interval.formula"],
    [reference.variables, (name) => [`x = ${name};`, name], "variable.language"],
    [["requeue", "terminate", "taskcompletion", "retaineddata"].map((name) => ({ name })), (name) => [`$x = ${name};`, name], "constant.language.option.formula"],
];
let names = 0;
for (const [entries, sample, scope] of kinds) {
    for (const { name } of entries) {
        names += 1;
        const got = scopeOf(formulas, ...sample(name));
        expect(got.startsWith(scope), `${name} is ${got}, not ${scope}`);
    }
}
// And nothing else is.
const known = new Set(["functions", "methods", "members", "constants", "variables"].flatMap((key) => reference[key].map((entry) => entry.name)));
const grammar = readFileSync(files.get("source.autoscale-formula"), "utf8");
for (const word of grammar.matchAll(/[:|(]([A-Za-z]\w{2,})(?=[|)])/g)) {
    const named = [word[1], `$${word[1]}`, `TimeInterval_${word[1]}`].some((name) => known.has(name));
    const option = ["requeue", "terminate", "taskcompletion", "retaineddata", "true", "false"].includes(word[1]);
    expect(named || option, `the grammar knows ${word[1]}, and the language does not`);
}

// Formulas that are right have nothing wrong in them, and nothing without a colour.
const corpus = found(".formula");
const sound = corpus.filter((file) => /^(policies|tests\/formulas\/good)\//.test(file));
expect(sound.length > 5, "the corpus is not where it was");
for (const file of corpus) {
    const text = readFileSync(file, "latin1");
    for (const token of tokens(formulas, text)) {
        expect(token.scopes.length > 1 || !/[\w$]/.test(token.text), `${file}:${token.line}: \`${token.text}\` has no colour`);
    }
    if (sound.includes(file)) for (const token of wrong(formulas, text)) faults.push(`${file}:${token.line}: \`${token.text}\` is shown as wrong`);
}
const plain = (text) => text && !text.includes("«");
const examples = reference.codes.filter((code) => /^F\d/.test(code.code) && plain(code.good));
for (const { code, good } of examples) {
    for (const token of wrong(formulas, good)) faults.push(`${code}, the good example: \`${token.text}\` is shown as wrong`);
}
// Mistakes of another language are shown while they are typed.
for (const code of ["F007", "F008", "F009", "F010", "F102"]) {
    const { bad } = reference.codes.find((entry) => entry.code === code);
    expect(wrong(formulas, bad).length > 0, `${code}: nothing is shown as wrong in ${bad}`);
}

// Scripts: each line begins with a command, and formulas in them are formulas.
const scripted = found(".test");
let lines = 0;
for (const file of scripted.filter((file) => /^(policies|docs|tests\/formulas)\//.test(file))) {
    for (const token of tokens(scripts, readFileSync(file, "utf8"))) {
        const command = token.first && /^(clear|load|pool|now|seed|dialect|samplePercent|expect|eval)$/.test(token.text.trim());
        if (!command || token.scopes.includes("meta.embedded.block.formula") || token.scopes[0].startsWith("comment")) continue;
        lines += 1;
        expect(token.scopes[0] === "keyword.control.script", `${file}:${token.line}: \`${token.text}\` is ${token.scopes[0]}`);
    }
}
expect(scopeOf(scripts, 'formula """\n$x = avg(1);\n"""\nexpect $x = 1', "avg") === "support.function.formula", "a formula in a script has no colours");
expect(scopeOf(scripts, "eval x = max(1, 2) => 2", "max") === "support.function.formula", "a formula behind eval has no colours");

// Policies: the formula in one has the colours of a formula, and ends where its lines do.
const policy = readFileSync("policies/ci-agents.yaml", "utf8");
expect(scopeOf(yaml, policy, "$PendingTasks").startsWith("variable.language"), "a formula in a policy has no colours");
const behind = policy.split("\n").findIndex((line) => line.startsWith("bounds:")) + 1;
const embedded = (token) => token.scopes.includes("meta.embedded.block.formula");
expect(tokens(yaml, policy).filter(embedded).every((token) => token.line < behind), "a formula in a policy does not end");
expect(wrong(yaml, policy).length === 0, "a formula in a policy is shown as wrong");

if (faults.length > 0) {
    console.error(faults.join("\n"));
    process.exit(1);
}
console.log(`${names} names, ${corpus.length} formulas (${sound.length} sound), ${examples.length} examples, ${scripted.length} scripts with ${lines} commands, and a policy`);
