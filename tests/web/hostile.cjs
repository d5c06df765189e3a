// Writes 200 hostile documents: each has something that would act in a browser or turn its order in every field.
"use strict";
const fs = require("fs");
const path = require("path");

const folder = process.argv[2];
const payloads = [
  "<script>window.acted = 1</script>",
  "</title></bdi><script>window.acted = 1</script>",
  "\"><img src=x onerror=\"window.acted = 1\">",
  "' autofocus onfocus='window.acted = 1",
  "<svg onload=window.acted=1>",
  "<iframe srcdoc=\"<script>parent.acted = 1</script>\"></iframe>",
  "javascript:window.acted=1",
  "<a href=javascript:window.acted=1>gulls</a>",
  "<style>@import url(http://elsewhere.example/)</style><link rel=stylesheet href=http://elsewhere.example/>",
  "<meta http-equiv=refresh content=\"0;url=http://elsewhere.example/\">",
  "<base href=http://elsewhere.example/>",
  "\u202egnp.exe\u2066\u202d\u202b",
  "\u001b]0;owned\u0007\u001b[2J\r",
  "<!--<plaintext>",
  "]]></p></details></main></body>",
  "<form action=http://elsewhere.example/><button autofocus>gulls",
  "{{constructor.constructor('window.acted=1')()}}",
  "&lt;script&gt;window.acted=1&lt;/script&gt;",
  "\u00ad\u200b<object data=http://elsewhere.example/></object>",
  "ferry".repeat(400),
];
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
fs.mkdirSync(folder, { recursive: true });
for (let number = 0; number < 200; number++) {
  const payload = payloads[number % payloads.length];
  const name = `${number} ${payload.replace(/[/\0]/g, "_").slice(0, 60)}`;
  const text = `The ferry ${number} left the harbour with ${payload} on board, as the office said on Monday morning.`;
  const flat = `Local News\n\nFerry ${number} ${payload}\n\n${text}\n\nGulls on a post ${payload}\n\n(Ada ${payload}/AFP via Getty Images)\n\n${text}\n\nThe post Ferry ${payload} appeared first on ${payload}.\n`;
  const page = `<!DOCTYPE html><html lang="en"><head><title>Ferry ${number} ${escaped(payload)}</title>
<meta name="author" content="${escaped(payload)}"><link rel="canonical" href="${number}${escaped(payload)}">
<script type="application/ld+json">${JSON.stringify({ "@type": "NewsArticle", headline: `Ferry ${number} ${payload}`, author: payload, articleSection: payload, keywords: payload }).replace(/</g, "\\u003c")}</script></head>
<body><nav>${payload}</nav><article><h1>Ferry ${number} ${escaped(payload)}</h1><p>${escaped(text)}</p>
<figure><img src="x" alt="${escaped(payload)}"><figcaption>Gulls ${escaped(payload)} Photo: Ada ${escaped(payload)}</figcaption></figure><p>${escaped(text)}</p></article><aside>${payload}</aside></body></html>`;
  const file = path.join(folder, `${name}.${number % 2 ? "html" : "txt"}`);
  fs.writeFileSync(file, number % 2 ? page : flat);
  const url = number % 3 ? `https://gulls.example/${number}?${payload}` : payload;
  const declared = { url, source: payload, headers: { "content-type": number % 2 ? "text/html" : "text/plain", "x-ferry": payload.replace(/[\r\n]/g, " ") } };
  fs.writeFileSync(`${file}.meta.json`, JSON.stringify(declared));
}
