"""The model card: what a release answers, what it learned from and how good it was, for people."""

from collections.abc import Mapping
from typing import Any


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown in Indonesian; the same manifest gives the same card."""
    scores, data, policy = manifest["scores"], manifest["data"], manifest["policy"]
    lines = [
        f"# Kartu model {manifest['id']}",
        "",
        f"Memilihkan instansi, kategori, urgensi dan klasifikasi laporan untuk portal {manifest['portal']}.",
        f"Dilatih dari {data['rows']} laporan berlabel, {data['from'] or '-'} sampai {data['until'] or '-'}.",
        "",
        "Diuji pada laporan contoh bawaan, bukan dari portal ini; di kota lain angkanya lebih rendah:"
        if scores.get("shipped")
        else "Diuji pada laporan paling akhir yang tidak dilihat model saat dilatih:",
        "",
        "| jawaban | n | tepat | tiga teratas | macro-F1 | terjawab pada 90 % | pada 95 % | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for answer, row in scores["answers"].items():
        lines.append(
            f"| {answer} | {row['n']} | {row['accuracy']:.3f} | {row['top3']:.3f} | {row['macro_f1']:.3f} "
            f"| {row['coverage_at_90']:.2f} | {row['coverage_at_95']:.2f} | {row['ece']:.3f} |"
        )
    gate = manifest.get("gate")
    compared = "-"
    if gate:
        compared = f"{'lolos' if gate['agrees'] else 'tidak lolos'}. {' '.join(gate['reasons'])}"
    lines += [
        "",
        f"Ketepatan yang diminta: auto {policy['precision_auto']:.0%}, prefill {policy['precision_prefill']:.0%}.",
        "Ambang: " + ", ".join(_threshold(name, policy[name]) for name in ("auto", "prefill", "category")) + ".",
        f"Darurat diangkat mulai peluang {policy['emergency']:.2f}.",
        f"Uji banding: {compared}",
        "",
        "Jangan dipakai untuk menolak laporan, menilai pelapor, atau menunda laporan darurat. "
        "Keputusan akhir ada pada petugas.",
        "",
    ]
    return "\n".join(lines)


def _threshold(name: str, value: float | Mapping[str, Any]) -> str:
    """A probability, or one that all agencies share and those of agencies that have their own."""
    if isinstance(value, Mapping):
        own = f" ({len(value['own'])} instansi punya ambang sendiri)" if value["own"] else ""
        return _threshold(name, value["shared"]) + own
    return f"{name} {value:.3f}" if value <= 1 else f"{name} tidak tercapai"
