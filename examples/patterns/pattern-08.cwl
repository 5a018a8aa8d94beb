# One scene in, perhaps one catalog out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-08
    label: One scene in, perhaps one catalog out
    doc: An index of one scene, if it is wanted.
    requirements:
      InlineJavascriptRequirement: {}
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
      wanted: {type: boolean, default: true, label: wanted, doc: whether to make it}
    outputs:
      found: {type: 'Directory?', outputSource: index/found}
    steps:
      index:
        run: '#index'
        when: $(inputs.wanted)
        in: {scene: scene, wanted: wanted}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), index, ndvi, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
