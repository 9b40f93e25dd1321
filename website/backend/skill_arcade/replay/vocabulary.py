"""Tags of notes. A released version never changes; a new version MAY add, rename or drop tags."""

VERSION = 1
"""Current version. Each note stores the version that its tag was chosen from."""

VOCABULARIES: dict[int, dict[str, str]] = {
    1: {
        "mistake": "The player did something that they would not do again.",
        "good-move": "The player did something clever or difficult.",
        "close-call": "The player almost lost a life or the game.",
        "discovery": "The player found out something about the game.",
        "exploration": "The player tries things to see what happens.",
        "strategy": "The player starts or follows a plan.",
        "strategy-change": "The player gives up a plan for another one.",
        "distraction": "The player does not pay attention.",
        "luck": "The outcome was due to chance.",
        "display-problem": "The picture, the controls or the connection did not work as they should.",
        "question": "Something to ask or to look at again.",
        "highlight": "Worth showing to others.",
    }
}
TAGS = VOCABULARIES[VERSION]
