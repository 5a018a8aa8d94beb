# What a link carries is not what its sink takes.
cwlVersion: v1.2
class: Workflow
inputs: {n: int}
outputs: {out: {type: string, outputSource: n}}
steps: []
