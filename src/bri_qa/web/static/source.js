// A permalink without its anchor still opens at the quote.
if (!location.hash) document.getElementById("quote-1")?.scrollIntoView({ block: "center" });
