"""Training by BioEncoder: its first stage, and the average of its last checkpoints.

It is written for one graphics card and stops without: it counts cards and sends every tensor to the first. Here it is
told that there is one, and tensors stay where they are.
"""

import os

import torch
from torch_only import finish, import_torchvision, job, small_net, trained

import_torchvision()
if not torch.cuda.is_available():
    torch.cuda.device_count, torch.cuda.current_device = (lambda: 1), (lambda: 0)
    torch.cuda.get_device_name = lambda *_: "the processor"
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *_, **__: self
told = job()
os.chdir(told["out"])
torch.manual_seed(told["seed"])
# begin
from pathlib import Path

import bioencoder
import timm
import yaml


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = small_net()
        self.classes = torch.nn.Linear(256, 1000)


@timm.models.register_model
def small(pretrained=False, **_):
    return Small()


root = Path("work").resolve()
(root / "data" / "run").mkdir(parents=True)
for part in ("train", "val"):
    (root / "data" / "run" / part).symlink_to(told[part], target_is_directory=True)
bioencoder.configure(root_dir=str(root), run_name="run")
config = yaml.full_load(Path(told["config"]).read_text())
config["train"]["n_epochs"] = config["scheduler"]["params"]["T_max"] = told["epochs"]
config["dataloaders"]["train_batch_size"] = told["batch"]
config["criterion"]["params"]["num_classes"] = len(os.listdir(told["train"]))
config["augmentations"]["transforms"][2]["HorizontalFlip"]["p"] = 0.5 if told["flip"] else 0.0
config["model"]["top_k_checkpoints"] = 3
Path("stage1.yml").write_text(yaml.dump(config))
bioencoder.train(config_path="stage1.yml")
bioencoder.swa(config_path="stage1.yml")
# end
seconds = trained()
from bioencoder.core.models import BioEncoderModel

network = BioEncoderModel("timm_small")
network.load_state_dict(
    torch.load(root / "weights" / "run" / "first" / "swa", weights_only=False)["model_state_dict"], strict=False
)
finish(network, told, seconds, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
