#!/usr/bin/env python3
"""Draws plots/*.svg from what is in results/, and prints the tables of README.md.

Needs Python 3 and nothing else. How each file of results/ is made stands in README.md.
"""

from collections import defaultdict
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
WIDTH, ROW, LEFT, RIGHT = 760, 24, 260, 110
COLOURS = ["#4269d0", "#efb118", "#3ca951", "#ff725c", "#97bbf5", "#f9dc94"]
# In the order of the colours.
CLIENTS = ["hyper-util", "magicbell", "magicbell batch", "reqwest", "hyper-util, keep-alive", "magicbell, async fn"]


def gate(name):
    """Reads the table that a gate prints: what each case costs."""
    lines = (HERE / "results" / name).read_text().splitlines()
    return {line[:40].strip(): float(line[40:53]) for line in lines if "/" in line[:40]}


def table(name):
    """Reads tab-separated values, the names of the columns first."""
    head, *rows = (HERE / "results" / name).read_text().splitlines()
    names = head.split("\t")
    return [dict(zip(names, row.split("\t"))) for row in rows if row != head]


def text(x, y, words, anchor="start", size=12):
    words = str(words).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{words}</text>'


def bars(name, title, rows):
    """Draws a bar for each (label, value, shown, colour)."""
    height = 50 + ROW * len(rows)
    most = max(value for _, value, _, _ in rows)
    parts = [text(10, 24, title, size=15)]
    for number, (label, value, shown, colour) in enumerate(rows):
        y = 40 + ROW * number
        width = (WIDTH - LEFT - RIGHT) * value / most
        parts.append(text(LEFT - 8, y + 14, label, "end"))
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{ROW - 6}" fill="{COLOURS[colour]}"/>')
        parts.append(text(LEFT + width + 6, y + 14, shown))
    body = "\n".join(parts)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )
    (HERE / "plots" / name).write_text(svg)


def overhead():
    instructions, allocations = gate("instructions.txt"), gate("allocations.txt")
    rows = []
    print("\n| case | instructions | allocations |\n|---|---|---|")
    for case, figure in instructions.items():
        print(f"| {case} | {figure:,.0f} | {allocations[case]:,.0f} |")
        if case.startswith("discard/"):
            label = case.removeprefix("discard/")
            shown = f"{figure:,.0f} / {allocations[case]:.0f}"
            rows.append((label, figure, shown, 0 if "client" in label else 2 if "hand" in label else 4))
    bars("overhead.svg", "One discard in memory: instructions / allocations", rows)


def spread(values):
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def loopback_runs(name):
    runs = defaultdict(dict)
    for row in table(name):
        runs[row["protocol"], row["in flight"], row["client"]][row["round"]] = row
    return runs


def ratios(rounds, base):
    """Returns how much faster a client is than another, and how much dearer, in each round."""
    both = [(row, base[number]) for number, row in rounds.items() if number in base]
    faster = spread([float(other["ms"]) / float(row["ms"]) for row, other in both])
    return faster, spread([float(row["cpu ms"]) / float(other["cpu ms"]) for row, other in both])


def loopback():
    runs = loopback_runs("loopback.tsv")
    rows = []
    print("\n| | in flight | client | requests/s | of hyper-util's | CPU µs | of hyper-util's | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for (protocol, in_flight, client), rounds in runs.items():
        done = rounds.values()
        speed = median(float(row["requests"]) / float(row["ms"]) * 1e3 for row in done)
        cpu = median(float(row["cpu ms"]) / float(row["requests"]) * 1e3 for row in done)
        peak = median(float(row["peak MiB"]) for row in done)
        faster, dearer = ratios(rounds, runs[protocol, in_flight, "hyper-util"])
        print(f"| {protocol} | {in_flight} | {client} | {speed:,.0f} | {faster} | {cpu:.1f} | {dearer} | {peak:.1f} |")
        colour = CLIENTS.index(client)
        rows.append((f"{protocol}, {in_flight} in flight, {client}", speed, f"{speed:,.0f}", colour))
    bars("throughput.svg", "Requests a second over loopback", rows)


def loopback_beside():
    """The client beside each of the others, 64 in flight, as cargo builds a release and with link-time optimization."""
    print("\n| | beside | requests/s | CPU | requests/s, LTO | CPU, LTO |\n|---|---|---|---|---|---|")
    plain, lto = loopback_runs("loopback.tsv"), loopback_runs("loopback_lto.tsv")
    for protocol, in_flight, client in plain:
        if in_flight == "64" and not client.startswith("magicbell"):
            cells = [ratios(runs[protocol, "64", "magicbell"], runs[protocol, "64", client]) for runs in (plain, lto)]
            print(f"| {protocol} | {client} | {' | '.join(cell for pair in cells for cell in pair)} |")


def loopback_counts(what):
    """What a request costs, and how much more than hyper-util's in the same round: the median, which isn't the medians' difference."""
    counts = defaultdict(lambda: defaultdict(dict))
    for row in table(f"loopback_{what}.tsv"):
        # Under valgrind the fifth column on is the count alone.
        counts[row["protocol"], row["client"]][row["round"]][int(row["requests"])] = int(row["cpu ms"])
    # The warm-up is a tenth of the requests, and at least twice what is in flight.
    sent = lambda count: count + max(count // 10, 128)

    def a_request(by_requests):
        (fewer, one), (more, two) = sorted(by_requests.items())
        return (two - one) / (sent(more) - sent(fewer))

    digits = 0 if what == "instructions" else 1
    # Without the minus that a zero may have.
    shown = lambda figure: f"{round(figure, digits) + 0.0:,.{digits}f}"
    print(f"\n| | client | {what} a request | more than hyper-util's |\n|---|---|---|---|")
    for (protocol, client), rounds in counts.items():
        figures = [a_request(by_requests) for by_requests in rounds.values()]
        base = counts[protocol, "hyper-util"]
        more = [a_request(by_requests) - a_request(base[number]) for number, by_requests in rounds.items()]
        spread_of_more = f"{shown(median(more))} ({shown(min(more))} to {shown(max(more))})"
        print(f"| {protocol} | {client} | {shown(median(figures))} | {spread_of_more} |")


def loopback_instructions():
    loopback_counts("instructions")


def loopback_allocations():
    loopback_counts("allocations")


def batches():
    runs = defaultdict(list)
    for row in table("batch_revocation.tsv"):
        runs[row["case"], int(row["ids"])].append(row)
    rows = []
    print("\n| case | ids | ns an id | peak MiB |\n|---|---|---|---|")
    cases = list(dict.fromkeys(case for case, _ in runs))
    for case in cases:
        for number, ids in enumerate(sorted({ids for _, ids in runs})):
            time = [float(row["ns an id"]) for row in runs[case, ids]]
            peak = median(int(row["peak KiB"]) for row in runs[case, ids]) / 1024
            print(f"| {case} | {ids:,} | {median(time):.0f} ({min(time):.0f} to {max(time):.0f}) | {peak:.2f} |")
            rows.append((f"{case}, {ids:,} ids", peak, f"{peak:.2f} MiB", number))
    bars("memory.svg", "Peak of memory by the size of a batch", rows)


for draw in (overhead, loopback, loopback_beside, loopback_instructions, loopback_allocations, batches):
    draw()
