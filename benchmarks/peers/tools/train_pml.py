"""Training by pytorch-metric-learning's trainer `MetricLossOnly`."""

import torch
from torch_only import finish, import_torchvision, job, small_net, trained

import_torchvision()
told = job()
torch.manual_seed(told["seed"])
# begin
from pytorch_metric_learning import losses, trainers
from torchvision import datasets, transforms

change = transforms.Compose(
    [
        transforms.Resize((told["size"], told["size"])),
        transforms.RandomAffine(15, translate=(0.08, 0.08), scale=(0.8, 1.2)),
        transforms.ColorJitter(0.4, 0.4, 0.4, 0.02),
        transforms.RandomHorizontalFlip(0.5 if told["flip"] else 0),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3),
        transforms.RandomErasing(0.2),
    ]
)
images = datasets.ImageFolder(told["train"], change)
trunk, embedder = small_net(), torch.nn.Linear(256, 64)
loss = losses.CosFaceLoss(len(images.classes), 64, margin=0.25, scale=32)
parts = {"trunk": trunk, "embedder": embedder, "metric_loss": loss}
optimisers = {f"{name}_optimizer": torch.optim.AdamW(part.parameters(), 0.003) for name, part in parts.items()}
steps = told["epochs"] * (len(images) // told["batch"])
schedules = {
    f"{name}_scheduler_by_iteration": torch.optim.lr_scheduler.OneCycleLR(
        optimisers[f"{name}_optimizer"], 0.003, total_steps=steps
    )
    for name in parts
}
trainer = trainers.MetricLossOnly(
    models={"trunk": trunk, "embedder": embedder},
    optimizers=optimisers,
    batch_size=told["batch"],
    loss_funcs={"metric_loss": loss},
    dataset=images,
    data_device=torch.device("cpu"),
    lr_schedulers=schedules,
    dataloader_num_workers=0,
)
trainer.train(num_epochs=told["epochs"])
# end
finish(torch.nn.Sequential(trunk, embedder), told, trained())
