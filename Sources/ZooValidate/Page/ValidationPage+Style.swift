// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ValidationPage {
    /// The style sheet: it holds no character that is markup in XML.
    ///
    /// Colours are those of Okabe and Ito, which people with any colour vision tell apart, darker on white and
    /// lighter on black; lines differ in their dashes too.
    static let style = """
        :root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--soft:#59636e;--edge:#d1d9e0;
        --track:#eff2f5;--good:#116329;--bad:#b3161f;--warn:#7d4e00;--claim:#1f2328;
        --c0:#0067a3;--c1:#b84e00;--c2:#007a58;--c3:#a33f7c;--c4:#7a6a00;--c5:#3a3a3a}
        @media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;
        --edge:#3d444d;--track:#212830;--good:#4ac26b;--bad:#ff7b72;--warn:#e3b341;--claim:#e6edf3;
        --c0:#56b4e9;--c1:#f0883e;--c2:#2fc79b;--c3:#e08fc0;--c4:#e6d44a;--c5:#c9d1d9}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1rem 1rem 3rem;max-width:62rem;background:var(--paper);
        color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
        h2{font-size:1.25rem;margin:2rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--edge)}
        p{margin:.25rem 0}ul{margin:0;padding:0;list-style:none}
        .soft,.numbers,figcaption .soft{color:var(--soft)}
        .verdict{font-size:1.15rem;font-weight:600}
        .passed,.reproduced,.better{color:var(--good)}.failed,.worse,.not-measured,.error{color:var(--bad)}
        .skipped,.upstream{color:var(--soft)}.warning{color:var(--warn)}
        table{border-collapse:collapse;font-size:.9rem}
        th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;
        border-bottom:1px solid var(--edge);overflow-wrap:break-word}
        th{font-weight:600}.wide{overflow-x:auto}.wide td{white-space:nowrap}
        .number{text-align:right;font-variant-numeric:tabular-nums}
        .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));
        gap:1.5rem 2.5rem;align-items:start;margin-top:1rem}
        figure{margin:0;min-width:0}.full{grid-column:1/-1}
        figcaption{font-weight:600;margin-bottom:.4rem}
        .group{font-weight:600;margin-top:.7rem;font-size:.9rem}
        .bars li{margin:.45rem 0 .1rem}.bars p{margin:0;font-size:.9rem;line-height:1.35}
        .bars .numbers{font-size:.8rem;font-variant-numeric:tabular-nums}
        svg{display:block;width:100%;height:auto;overflow:hidden}
        text{font:11px system-ui,sans-serif;fill:var(--soft)}
        path,polyline,polygon{fill:none}
        .track{fill:var(--track)}.tolerance{fill:var(--claim);opacity:.22}
        .whisker{stroke:var(--ink);stroke-width:1.5}
        .claim{stroke:var(--claim);stroke-width:2}
        .limit{stroke:var(--bad);stroke-width:2;stroke-dasharray:3 2}
        .tick,.grid{stroke:var(--edge)}.frame{fill:var(--track);stroke:var(--edge)}
        .bar{opacity:.75}.bar.c0{fill:var(--c0)}.bar.c1{fill:var(--c1)}.bar.c2{fill:var(--c2)}
        .bar.c3{fill:var(--c3)}.bar.c4{fill:var(--c4)}.bar.c5{fill:var(--c5)}
        .line{stroke-width:1.75;stroke-linejoin:round}.dot{stroke-width:4.5;stroke-linecap:round}
        .line.c0{stroke-width:2.5}
        .line.c0,.dot.c0{stroke:var(--c0)}.line.c1,.dot.c1{stroke:var(--c1)}
        .line.c2,.dot.c2{stroke:var(--c2)}.line.c3,.dot.c3{stroke:var(--c3)}
        .line.c4,.dot.c4{stroke:var(--c4)}.line.c5,.dot.c5{stroke:var(--c5)}
        .line.c1{stroke-dasharray:6 3}.line.c2{stroke-dasharray:2 3}.line.c3{stroke-dasharray:9 3 2 3}
        .line.c4{stroke-dasharray:4 2}.line.c5{stroke-dasharray:1 3}
        .band{opacity:.16}.band.c0{fill:var(--c0)}.band.c1{fill:var(--c1)}.band.c2{fill:var(--c2)}
        .band.c3{fill:var(--c3)}.band.c4{fill:var(--c4)}.band.c5{fill:var(--c5)}
        .legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.3rem 0;font-size:.85rem}
        .legend li{display:flex;align-items:center;gap:.4rem}.legend svg{width:1.75rem;flex:none}
        .paths{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.75rem}
        .seen,.actual,.predicted{stroke-linecap:round;stroke-linejoin:round;stroke-width:1.5}
        .seen{stroke:var(--soft);stroke-width:4}.actual{stroke:var(--c2)}
        .predicted{stroke:var(--c1);stroke-dasharray:3 2}.point{stroke-width:3.5;stroke-dasharray:none}
        .paths p{font-size:.8rem;line-height:1.35}
        .planned,.straight{stroke-linecap:round;stroke-linejoin:round;stroke-width:1.5}
        .planned{stroke:var(--c0);stroke-width:2}.straight{stroke:var(--c1);stroke-dasharray:3 2}
        .goal{fill:none;stroke:var(--good);stroke-width:1.5}.wall{fill:var(--soft);opacity:.5}
        .legend .planned,.legend .straight{stroke-width:2.5}.legend .goal{stroke-width:2}
        .legend .actual,.legend .predicted{stroke-width:2.5}.legend .seen{stroke-width:7}
        details{margin:.4rem 0;font-size:.9rem}summary{cursor:pointer;color:var(--soft)}
        .findings li{margin:.6rem 0}
        @media (max-width:34rem){.claims tr{display:grid;grid-template-columns:2fr 1fr 1.5fr;
        border-bottom:1px solid var(--edge);padding:.3rem 0}.claims th,.claims td{border:0;padding:0 .5rem 0 0}
        .claims th:first-child,.claims td:first-child{grid-column:1/-1}
        .rules,.files,.rules tbody,.files tbody{display:block}
        .rules tr,.files tr{display:block;border-bottom:1px solid var(--edge);padding:.3rem 0}
        .rules td:nth-child(2)::before{content:'requires: ';color:var(--soft)}
        .rules td:nth-child(3)::before{content:'seen: ';color:var(--soft)}
        .rules th,.files th{display:none}.rules td,.files td{display:block;border:0;padding:0;text-align:left}
        .rules td:first-child,.files td:first-child{font-weight:600}}
        @media print{body{max-width:none}details{display:none}}
        """
}
