"""The engine's own generators and objectives, registered through the hooks that plugins use.

`parts.find_part` asks here first, so that they work whatever plugins are installed or left out.
"""

from __future__ import annotations

from caw_toolkit.hookspecs import RegisterTarget, hookimpl

_GENERATORS = "caw_toolkit.generators"
_OBJECTIVES = "caw_toolkit.training.objectives"


@hookimpl
def register_generators(register: RegisterTarget) -> None:
    """Names are those of `architecture["type"]` in model files, and stay."""
    register("dilated", f"{_GENERATORS}.dilated:DilatedGenerator", summary="The paper's dilated convolutions.")
    register("exemplar", f"{_GENERATORS}.exemplar:ExemplarGenerator", summary="The recording's own material.")
    register(
        "exemplar_or_gaussian",
        f"{_GENERATORS}.band_extension.generator:BandExtensionGenerator",
        summary="Exemplars, and a predicted band for other audio.",
    )
    register(
        "flow", f"{_GENERATORS}.flow:FlowGenerator", summary="Noise to signal by an ordinary differential equation."
    )
    register("gaussian", f"{_GENERATORS}.gaussian:GaussianGenerator", summary="Noise of a predicted spectral envelope.")


@hookimpl
def register_objectives(register: RegisterTarget) -> None:
    """Names are those of `objective.name` in presets, and stay."""
    register("adversarial", f"{_OBJECTIVES}.adversarial:AdversarialObjective", summary="The paper's.")
    register(
        "conditional_gaussian",
        f"{_OBJECTIVES}.conditional_gaussian:ConditionalGaussianObjective",
        summary="Likelihood of the next band.",
    )
    register("exemplar", f"{_OBJECTIVES}.exemplar:ExemplarObjective", summary="Remembers, and learns nothing.")
    register(
        "exemplar_or_gaussian",
        f"{_OBJECTIVES}.band_extension:BandExtensionObjective",
        summary="Remembers, and learns to predict other audio's next band.",
    )
    register("flow_matching", f"{_OBJECTIVES}.flow_matching:FlowMatchingObjective", summary="Velocity regression.")
    register("staged", f"{_OBJECTIVES}.staged:StagedObjective", summary="Another objective for each scale.")
