"""The training step of gpu/bench/mlp.cu in PyTorch on the same GPU: eager, and compiled with the whole step in a CUDA graph.
usage: gpu/bench/mlp_peer.py [path of gpu_bench_mlp]     (needs a python3 with torch; prints ratios, above 1: walras is faster)

Both sides: network 10-256x4-1, ReLU, Adam, rows 2^14 to 2^18, times by device events with a cold L2, medians of 21. In bf16 the
peer uses autocast with float32 parameters, as walras keeps them."""

import re
import statistics
import subprocess
import sys

import torch

WIDTH, INPUTS, DEPTH, ROUNDS = 256, 10, 5, 21


def network():
    sizes = [INPUTS] + [WIDTH] * (DEPTH - 1) + [1]
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(a, b))
        if i < DEPTH - 1:
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers).cuda()


def stepper(rows, precision, compiled):
    """A function that queues one forward, backward and Adam step."""
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    net = network()
    run = torch.compile(net) if compiled else net
    adam = torch.optim.Adam(net.parameters(), lr=1e-5, fused=True, capturable=True)
    x = torch.randn(rows, INPUTS, device="cuda")
    dy = torch.full((rows, 1), 1.0 / rows, device="cuda")

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16"):
            y = run(x)
        y.float().backward(dy)
        adam.step()

    return step


def captured(step):
    """The step as a CUDA graph, after a few calls beside it that compile and warm up."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def milliseconds(step):
    flush = torch.empty(1 << 28, dtype=torch.uint8, device="cuda")
    times = []
    for _ in range(ROUNDS + 3):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        flush.fill_(1)
        start.record()
        step()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop))
    return statistics.median(times[3:])


def ours(program):
    """{(rows, precision): milliseconds of a step} as gpu_bench_mlp prints them."""
    text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    row = re.compile(r"^\| training step, captured \| (\d+) rows, (\w+) \| ([\d.e+-]+) (us|ms|s) \|", re.M)
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    return {(int(rows), p): float(t) * scale[unit] for rows, p, t, unit in row.findall(text)}


def peer(rows, precision, compiled):
    """Milliseconds, or None with the reason printed."""
    try:
        step = stepper(rows, precision, compiled)
        return milliseconds(captured(step) if compiled else step)
    except Exception as error:  # torch.compile needs a C++ compiler and Triton
        print(f"{rows} rows, {precision}, compiled {compiled}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build-gpu/gpu_bench_mlp"
    if not torch.cuda.is_available():
        sys.exit(f"skipped: PyTorch {torch.__version__} finds no GPU")
    walras = ours(program)
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}\n")
    print("| rows | precision | walras ms | eager ms | ratio | compiled, captured ms | ratio |\n|---|---|---|---|---|---|---|")
    for rows, precision in sorted(walras):
        mine = walras[rows, precision]
        cells = []
        for compiled in (False, True):
            ms = peer(rows, precision, compiled)
            cells += [f"{ms:.4g}", f"{ms / mine:.2f}"] if ms else ["", ""]
        print(f"| {rows} | {precision} | {mine:.4g} | " + " | ".join(cells) + " |", flush=True)


main()
