"""The training step of bench/mlp.c in PyTorch, timed in turns with build/bench_mlp. Run by bench/mlp_peer.sh."""

import re
import statistics
import subprocess
import sys
import time

import torch

ROWS, WIDTH, ROUNDS = (int(a) for a in (sys.argv[1:] + ["2560", "256", "5"][len(sys.argv) - 1 :]))
INPUTS, DEPTH = 10, 5


def network():
    sizes = [INPUTS] + [WIDTH] * (DEPTH - 1) + [1]
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(a, b))
        if i < DEPTH - 1:
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


def stepper(compiled):
    """A function that does one forward, backward and Adam step."""
    torch.manual_seed(1)
    net = network()
    run = torch.compile(net) if compiled else net
    adam = torch.optim.Adam(net.parameters(), lr=1e-5, fused=True)
    x, dy = torch.randn(ROWS, INPUTS), torch.full((ROWS, 1), 1.0 / ROWS)

    def step():
        adam.zero_grad(set_to_none=True)
        run(x).backward(dy)
        adam.step()

    return step


def milliseconds(step, repeats=21):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def ours():
    """{threads: milliseconds of a step} from build/bench_mlp."""
    command = ["build/bench_mlp", str(ROWS), str(WIDTH), "11"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {int(t): float(ms) for t, ms in re.findall(r"^(\d) thread.*step ([\d.]+) ms", text, re.M)}


def candidates():
    steps = {"eager": stepper(False)}
    try:
        compiled = stepper(True)
        compiled()
        steps["compiled"] = compiled
    except Exception as error:  # needs a C++ compiler; eager remains
        print("torch.compile does not work here:", str(error).splitlines()[0])
    return steps


def main():
    steps = candidates()
    print(f"PyTorch {torch.__version__}, network 10-{WIDTH}x4-1, {ROWS} rows, {ROUNDS} rounds in turns")
    times = {}
    for _ in range(ROUNDS):
        for threads, ms in ours().items():
            times.setdefault((threads, "walras"), []).append(ms)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for name, step in steps.items():
                milliseconds(step, 3)
                times.setdefault((threads, name), []).append(milliseconds(step))
    for threads in (1, 2):
        mine = times[threads, "walras"]
        for name in steps:
            peer = times[threads, name]
            ratio = statistics.median(p / m for p, m in zip(peer, mine))
            print(
                f"{threads} thread{'s' if threads > 1 else ' '}  walras {statistics.median(mine):6.2f} ms"
                f"   PyTorch {name:8} {statistics.median(peer):6.2f} ms   ratio {ratio:.2f}"
            )


main()
