/** No file and no address beside it: system fonts, and colours that tell a state by lightness as well as by hue. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  --ink: light-dark(#1b1f24, #e6e9ee); --soft: light-dark(#57606a, #a5afbb); --paper: light-dark(#fff, #15181c);
  --card: light-dark(#f4f6f8, #1e2329); --line: light-dark(#c9d0d8, #3d464f);
  --good: light-dark(#0b6b3a, #5fd38d); --bad: light-dark(#b3261e, #ff8a80);
  --running: light-dark(#9db7d5, #4a6785); --candidate: light-dark(#0b5cad, #7db7f5);
  --between: light-dark(#a8710a, #e0b04c); --none: light-dark(#8a939c, #77818b); }
body { background: var(--paper); color: var(--ink); margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p, ol, ul, dl { margin: .4rem 0; max-width: 75ch; }
.soft { color: var(--soft); }
.verdict { background: var(--card); border-left: .4rem solid var(--good); font-size: 1.1rem; margin: 1rem 0; max-width: none; padding: .8rem 1rem; }
.verdict.bad { border-color: var(--bad); }
.mark { font-weight: 700; color: var(--good); white-space: nowrap; } .mark.bad { color: var(--bad); }
dl.facts { display: grid; gap: .15rem 1rem; grid-template-columns: max-content 1fr; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide:focus-visible, summary:focus-visible, a:focus-visible { outline: 3px solid var(--candidate); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 36rem; width: 100%; } figure table { min-width: 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: start; vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { white-space: nowrap; } td.number, th.number { text-align: end; white-space: nowrap; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
summary { color: var(--candidate); cursor: pointer; padding: .2rem 0; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { background: var(--card); border-radius: .4rem; margin: 0; padding: .6rem .8rem; min-width: 0; }
figcaption { font-weight: 600; } svg { display: block; height: auto; width: 100%; }
.timeline svg { min-width: 52rem; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg text.soft { fill: var(--soft); }
svg .grid { stroke: var(--line); } svg .line { fill: none; stroke-width: 2; }
svg .first { stroke: var(--candidate); } svg .second { stroke: var(--between); stroke-dasharray: 6 3; }
.is-running { fill: var(--running); } .is-candidate { fill: var(--candidate); } .is-between { fill: var(--between); }
.is-broken { fill: var(--bad); } .is-no-link { fill: var(--none); } .is-no-power { fill: none; stroke: var(--none); }
.phase { fill: var(--card); stroke: var(--line); } .fault { stroke: var(--bad); stroke-width: 2; } svg text.fault-name { fill: var(--bad); font-weight: 700; paint-order: stroke; stroke: var(--paper); stroke-width: 4; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; }
.legend svg { display: inline-block; height: .9rem; margin-inline-end: .4rem; min-width: 0; vertical-align: -.1rem; width: 1.6rem; }
.fleet { display: grid; gap: .4rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); list-style: none; max-width: none; padding: 0; }
.fleet li { background: var(--card); border-inline-start: .35rem solid var(--running); padding: .3rem .6rem; overflow-wrap: anywhere; }
.fleet li.on-candidate { border-color: var(--candidate); } .fleet li.on-between { border-color: var(--between); }
.fleet li.on-broken { border-color: var(--bad); } .fleet li.on-no-link, .fleet li.on-no-power { border-color: var(--none); }
@media print { :root { color-scheme: light; } .timeline svg { min-width: 0; } }
`;
