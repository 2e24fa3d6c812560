"""What was found in a recording that is cleaned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

#: A recording whose noise is this far below it, in dB, is clean.
CLEAN_DB = -50


@dataclass(frozen=True)
class Findings:
    """Noise, hum and clicks of a recording.

    Attributes:
        seconds: length of what was looked at.
        sample_count: samples of all channels.
        noise_db: power of the steady noise over that of the recording in dB; None without any.
        clicks: clicks in all channels.
        touched: samples that were replaced by `clicks`, in all channels.
        energy: sum of the squared samples.
        quiet_db: power of the quietest tenth of the time over that of the recording in dB, where no noise could be told
            from the sound; None otherwise, and where that is silent.
    """

    seconds: float = 0.0
    sample_count: int = 0
    noise_db: float | None = None
    hum_lines: tuple[float, ...] = ()
    clicks: int = 0
    touched: int = 0
    energy: float = 0.0
    quiet_db: float | None = None

    def joined(self, other: Findings) -> Findings:
        """Of both, one after the other."""
        energy = self.energy + other.energy

        def together(one: float | None, two: float | None) -> float | None:
            levels = ((self.energy, one), (other.energy, two))
            power = sum(weight * 10 ** (level / 10) for weight, level in levels if level is not None)
            return 10 * math.log10(power / energy) if power else None

        return Findings(
            self.seconds + other.seconds,
            self.sample_count + other.sample_count,
            together(self.noise_db, other.noise_db),
            self.hum_lines if len(self.hum_lines) >= len(other.hum_lines) else other.hum_lines,
            self.clicks + other.clicks,
            self.touched + other.touched,
            energy,
            together(self.quiet_db, other.quiet_db),
        )

    @property
    def is_clean(self) -> bool:
        """Whether there was next to nothing to remove."""
        is_quiet = self.noise_db is None or self.noise_db < CLEAN_DB
        return is_quiet and not self.hum_lines and not self.clicks

    @property
    def touched_share(self) -> float:
        """Share of the samples that were replaced."""
        return self.touched / max(1, self.sample_count)

    @property
    def clicks_a_second(self) -> float:
        """Clicks a second, in all channels."""
        return self.clicks / max(1e-9, self.seconds)

    def lines(self) -> list[str]:
        """What a user reads.

        >>> Findings(seconds=10, sample_count=160_000, noise_db=-20.4, hum_lines=(50.0, 150.1)).lines()
        ['steady noise, 20 dB below the recording', 'hum at 50 and 150 Hz']
        """
        found = []
        if self.noise_db is not None:
            found.append(f"steady noise, {-self.noise_db:.0f} dB below the recording")
        if self.hum_lines:
            *first, last = (f"{line:.0f}" for line in self.hum_lines)
            found.append(f"hum at {', '.join(first)} and {last} Hz" if first else f"hum at {last} Hz")
        if self.clicks:
            found.append(
                f"{self.clicks_a_second:.1f} clicks a second, {self.touched_share:.2%} of the samples replaced"
            )
        return found

    def why_clean(self, source: str) -> str:
        """What a user reads where nothing was removed.

        >>> Findings(quiet_db=-4.2).why_clean("song.wav").split(": ")[1]
        'its quietest tenth, 4 dB below all of it, is not spread over time and frequency as steady noise is'
        >>> Findings(quiet_db=-60.0).why_clean("voice.wav")
        'no noise to speak of in voice.wav'
        """
        nothing = f"no noise to speak of in {source}"
        if self.quiet_db is None or self.quiet_db < CLEAN_DB:
            return nothing
        quiet = f"its quietest tenth, {-self.quiet_db:.0f} dB below all of it"
        spread = "is not spread over time and frequency as steady noise is"
        return f"{nothing}, or none that could be told from its sound: {quiet}, {spread}"

    def as_json(self) -> dict[str, Any]:
        """The same as plain types."""
        return {
            "noise_db": None if self.noise_db is None else round(self.noise_db, 1),
            "quiet_db": None if self.quiet_db is None else round(self.quiet_db, 1),
            "hum_hz": list(self.hum_lines),
            "clicks": self.clicks,
            "clicks_per_second": round(self.clicks_a_second, 2),
            "replaced_share": round(self.touched_share, 6),
        }
