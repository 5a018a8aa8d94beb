# Two scenes in, one catalog out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-02
    label: Two scenes in, one catalog out
    doc: What has changed between two scenes.
    inputs:
      before: {type: Directory, label: a scene, doc: a scene}
      after: {type: Directory, label: a later scene, doc: a later scene}
    outputs:
      found: {type: Directory, outputSource: index/found}
    steps:
      index:
        run: '#index'
        in: {first: before, second: after}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      first: {type: Directory, inputBinding: {position: 1}}
      second: {type: Directory, inputBinding: {position: 2}}
    arguments: [python3, $(inputs.script.path), index, change, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
