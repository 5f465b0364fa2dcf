"""The real text of The Time Machine, if it is available."""


def test_the_text_is_read_without_a_download(d2l, data_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = d2l.TimeMachine(batch_size=1, num_steps=1)
    assert (len(data.vocab), len(data.X)) == (28, 173427)
