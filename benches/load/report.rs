//! What was measured, as JSON and as a page that needs nothing else: a table, and the latency of each figure as a line.

use crate::drive::Measured;
use std::fmt::Write as _;
use std::path::Path;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;

/// Decades of the plot, from 10 µs on.
const DECADES: f64 = 6.0;

pub fn write(out: &Path, all: &[Measured]) {
    std::fs::create_dir_all(out).unwrap();
    let json = serde_json::to_vec_pretty(all).unwrap();
    std::fs::write(out.join("load.json"), json).unwrap();
    std::fs::write(out.join("load.html"), page(all)).unwrap();
    println!("{}", out.join("load.html").display());
}

fn page(all: &[Measured]) -> String {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>Probity under load</title><style>body{font:14px sans-serif;margin:2em}\
         td,th{padding:.2em .8em;text-align:right}td:first-child,th:first-child{text-align:left}svg{background:#f6f6f6}</style>\
         <h1>Probity under load</h1><table><tr><th>work<th>store<th>connections<th>a second<th>p50 µs<th>p99 µs<th>p99.9 µs\
         <th>echo a second<th>server cores<th>memory MiB<th>other cores<th>refused</tr>",
    );
    for one in all {
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}<td>{:.0}<td>{}<td>{}<td>{}<td>{:.0}<td>{:.2}<td>{}<td>{:.2}<td>{}</tr>",
            one.work,
            one.store,
            one.connections,
            one.rate,
            one.p50_micros,
            one.p99_micros,
            one.p999_micros,
            one.echo,
            one.used.server_cores,
            one.used.memory_kib / 1024,
            one.used.other_cores,
            one.refused,
        );
    }
    html.push_str("</table>");
    for one in all {
        let _ = write!(
            html,
            "<h2>{} on {}, {} connections</h2><p>{}</p><svg width={WIDTH} height={HEIGHT}>{}</svg>",
            one.work,
            one.store,
            one.connections,
            one.durability,
            curve(&one.curve_micros)
        );
    }
    html
}

/// Latency (10 µs to 10 s, by decades) over the share of requests that were faster.
fn curve(micros: &[u64]) -> String {
    let mut points = String::new();
    for (at, value) in micros.iter().enumerate() {
        let x = WIDTH * at as f64 / micros.len() as f64;
        let decades = ((*value).max(10) as f64 / 10.0).log10();
        let y = HEIGHT * (1.0 - decades / DECADES);
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    let mut svg = String::new();
    for (decade, words) in ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]
        .iter()
        .enumerate()
    {
        let y = HEIGHT * (1.0 - (decade + 1) as f64 / DECADES);
        let _ = write!(
            svg,
            "<line x1=0 x2={WIDTH} y1={y:.1} y2={y:.1} stroke=#ccc /><text x=4 y={:.1} font-size=11>{words}</text>",
            y - 3.0
        );
    }
    let _ = write!(svg, "<polyline fill=none stroke=#06c points='{points}'/>");
    svg
}
