// A permalink without its anchor still opens at the quote; going back to the top of a long list is left to the browser.
if (!location.hash) document.getElementById("quote-1")?.scrollIntoView({ block: "center" });
