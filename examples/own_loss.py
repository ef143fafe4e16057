"""A distillation loss of your own: match the student's level to the teacher's."""

from torch import Tensor

from edge_vc.compress.recipe import Recipe
from edge_vc.training.student.forward_pass import DistillPass
from edge_vc.training.student.losses import register_loss


def level(step: DistillPass) -> Tensor:
    """Return the absolute difference in mean power in dB."""
    made, truth = (x.square().mean() + 1e-8 for x in (step.audio, step.target))
    return 10 * (made / truth).log10().abs()


register_loss("level", level, weight=0.0, highest=50.0)

if __name__ == "__main__":
    recipe = Recipe.from_toml("[distill]\nlevel = 0.1")
    print(f"[distill] level = {recipe.distill.level}; compress(recipe, RUN) uses it")
