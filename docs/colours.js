// Colours formulas, which highlight.js does not know, and shows transcripts as what was typed and what came.
(() => {
    const formula = () => ({
        keywords: {
            literal: "requeue terminate taskcompletion retaineddata",
            built_in:
                "avg ceil floor len lg ln log max min norm percentile rand range round std stop sum time val vec " +
                "GetSample GetSamplePercent GetSamplePeriod Count HistoryBeginTime",
        },
        contains: [
            { className: "comment", begin: "//", end: "$" },
            { className: "string", begin: '"', end: '"' },
            { className: "variable", begin: /\$[A-Za-z_]\w*/ },
            { className: "literal", begin: /\bTimeInterval_\w+/ },
            { className: "number", begin: /\b\d+(\.\d*)?\b/ },
        ],
    });
    hljs.registerLanguage("formula", formula);
    for (const block of document.querySelectorAll("code.formula")) {
        block.classList.replace("language-text", "language-formula");
        hljs.highlightBlock(block);
    }

    const element = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });
    for (const block of document.querySelectorAll("code.language-console")) {
        const lines = block.textContent.trimEnd().split("\n");
        const shown = lines.map((line, index) => {
            if (line.startsWith("$ ")) return element("strong", "typed", line);
            const code = lines[index - 1]?.startsWith("$ ") && /^\? (\d+)$/.exec(line);
            return code ? element("span", "exit", `(exit code ${code[1]})`) : document.createTextNode(line);
        });
        block.replaceChildren(...shown.flatMap((node) => [node, "\n"]));
    }
})();
