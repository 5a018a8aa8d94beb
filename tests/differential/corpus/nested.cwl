# A workflow in a workflow, scattered, of documents of three versions.
cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}}
inputs: {words: "string[]"}
outputs: {lines: {type: "File[]", outputSource: each/line}, counts: {type: "int[]", outputSource: each/count}}
steps:
  each: {in: {word: words}, scatter: word, run: nested-v11.cwl, out: [line, count]}
