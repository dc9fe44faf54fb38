"""How the page looks: one column to read, light and dark, on a phone and on paper."""

from __future__ import annotations

__all__ = ["CHART_CONFIG", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --panel: #f6f7f9; --ink: #1b1f24; --soft: #5b6470; --line: #dfe3e8;
  --accent: #2459c4; --best: #e7f0e6; --best-ink: #1d5a2a; --warning: #9a5b00; --error: #b3261e;
  --s1: #2459c4; --s2: #d2691e; --s3: #2a8a5c; --s4: #8a3fa0; --s5: #b8860b; --s6: #c2385f; --s7: #4a7a8c;
  --s8: #6b6b6b; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --panel: #1d2126; --ink: #e6e9ed; --soft: #a0a9b4;
  --line: #343a42; --accent: #84aaff; --best: #1f3324; --best-ink: #9fdcab; --warning: #f0b35a; --error: #ff8f85;
  --s1: #84aaff; --s2: #ff9d5c; --s3: #6fd3a0; --s4: #d499ea; --s5: #e8c15a; --s6: #ff8fae; --s7: #8fc4d8;
  --s8: #b5b5b5; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .75rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--accent); }
code, pre { font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
code { overflow-wrap: anywhere; unicode-bidi: isolate; }
pre { background: var(--panel); padding: .9rem 1rem; border-radius: 6px; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.about, .note, figcaption, caption, .unit { color: var(--soft); }
.about { margin: 0 0 1.25rem; overflow-wrap: anywhere; }
.verdict { font-size: 1.2rem; line-height: 1.45; margin: 1.25rem 0 .4rem; padding-left: .9rem;
  border-left: 4px solid var(--accent); max-width: 48rem; overflow-wrap: anywhere; }
.note { font-size: .9rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; padding: 0; margin: 1.25rem 0 0;
  font-size: .9rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: .85rem; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line);
  unicode-bidi: isolate; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 7rem; }
.numeric td, .numeric thead th:not(:first-child) { text-align: right; padding-left: .75rem; white-space: nowrap; }
td.best { background: var(--best); color: var(--best-ink); font-weight: 700; }
.numeric td .unit { white-space: nowrap; }
.unit { display: block; font-weight: 400; font-size: .8rem; max-width: 22rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: .75rem 2rem; }
figure { margin: .5rem 0; min-width: 0; break-inside: avoid; }
figure h3 { margin-top: .5rem; }
figcaption { font-size: .88rem; margin-top: .25rem; }
.chart { width: 100%; min-height: 8rem; position: relative; }
.chart svg { max-width: 100%; height: auto; display: block; }
.matrix { width: auto; }
.matrix th, .matrix td { padding: .35rem .6rem; border: 1px solid var(--line); }
.matrix td { text-align: right; min-width: 3.2rem; white-space: nowrap;
  background: color-mix(in srgb, var(--tone) calc(var(--share) * 60%), transparent); }
.matrix thead th + th { max-width: 8rem; text-align: right; overflow: hidden; text-overflow: ellipsis; }
.matrix caption { white-space: nowrap; }
.matrix tbody th { max-width: 12rem; min-width: 4rem; }
.matrix td { --tone: var(--s2); }
.matrix td .unit { color: inherit; }
.matrix td.right { --tone: var(--s3); }
.findings { list-style: none; padding: 0; margin: .5rem 0; }
.findings > li { border-left: 4px solid var(--soft); padding: .1rem 0 .1rem .9rem; margin: 1rem 0; break-inside: avoid;
  overflow-wrap: anywhere; }
.findings > li.warning { border-color: var(--warning); }
.findings > li.error { border-color: var(--error); }
.severity { font-weight: 700; }
.warning .severity { color: var(--warning); }
.error .severity { color: var(--error); }
.findings p { margin: .2rem 0; }
.evidence { font-size: .88rem; color: var(--soft); }
.remedies { margin: .3rem 0; padding-left: 1.2rem; font-size: .92rem; }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--accent); padding: .25rem 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
dl.pairs { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem; margin: .75rem 0;
  font-size: .95rem; }
dl.pairs dt { color: var(--soft); }
dl.pairs dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
footer { margin-top: 3rem; padding-bottom: 2.5rem; font-size: .88rem; color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:not(:focus) { position: absolute; left: -999rem; }
#vg-tooltip-element { visibility: hidden; position: fixed; z-index: 9; pointer-events: none; padding: .4rem .6rem;
  border-radius: 6px; font-size: .82rem; background: var(--paper); color: var(--ink); border: 1px solid var(--line);
  box-shadow: 0 2px 8px rgb(0 0 0 / .18); max-width: 20rem; }
#vg-tooltip-element.visible { visibility: visible; }
#vg-tooltip-element td { border: 0; padding: .05rem .5rem .05rem 0; overflow-wrap: anywhere; }
#vg-tooltip-element td.key { color: var(--soft); }
@media (max-width: 34rem) { h1 { font-size: 1.4rem; } .verdict { font-size: 1.08rem; }
  main, header, footer { padding-left: 1rem; padding-right: 1rem; } header { padding-top: 1.5rem; }
  dl.pairs { grid-template-columns: 1fr; gap: 0; }
  dl.pairs dd { margin-bottom: .5rem; } .numeric tbody th .unit { display: none; }
  .numeric tbody th { min-width: 5rem; } th, td { padding-right: .5rem; }
  .numeric td, .numeric thead th:not(:first-child) { padding-left: .4rem; white-space: normal; } }
@media print { :root { color-scheme: light; --paper: #fff; --panel: #f6f7f9; --ink: #000; --soft: #444; --line: #bbb;
    --accent: #123c94; --best: #e7f0e6; --best-ink: #1d5a2a; --warning: #9a5b00; --error: #b3261e; --s1: #2459c4;
    --s2: #c05a10; --s3: #2a8a5c; --s4: #8a3fa0; --s5: #94690a; --s6: #c2385f; --s7: #4a7a8c; --s8: #6b6b6b; }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .skip { display: none; } .scroll { overflow: visible; } h2, h3 { break-after: avoid; }
  main, header, footer { max-width: none; padding: 0; } tr { break-inside: avoid; } }
"""
"""Colours are variables: the charts use them too, so that they follow the theme and the printer."""

_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"

CHART_CONFIG = {
    "background": "transparent",
    "font": _FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--line)",
        "gridOpacity": 0.6,
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 12,
        "labelLimit": 140,
    },
    "axisX": {"grid": False},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "symbolType": "stroke",
        "symbolStrokeWidth": 3,
        "symbolSize": 160,
        "labelLimit": 240,
        "columns": 3,
    },
}
"""Vega's configuration, the same for all charts."""
