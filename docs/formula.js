// Colours formulas: highlight.js, which mdBook brings, does not know the language.
(() => {
    const language = () => ({
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
    hljs.registerLanguage("formula", language);
    for (const block of document.querySelectorAll("code.formula")) {
        block.classList.replace("language-text", "language-formula");
        hljs.highlightBlock(block);
    }
})();
