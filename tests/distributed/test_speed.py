"""What several processes cost is measured."""

import json


def test_bench_tells_tokens_and_communication_of_one_and_two_processes(start, tmp_path):
    # The measuring is the same code in every backend: one of them will do.
    file = tmp_path / "points.json"
    words = ["--backend", "torch", "--json", file, "--rounds", 3, "--processes", 1, 2]
    status, said = start("-m", "d2lrnn", "bench", *words).end()
    assert status == 0, said
    points = json.loads(file.read_text())
    measured = {(point["kind"], point["processes"]) for point in points}
    assert measured == {("strong", 1), ("strong", 2), ("weak", 2)}
    assert all((point["reduce"] > 0) == (point["processes"] == 2) for point in points)
    assert "communication" in said
