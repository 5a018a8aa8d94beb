# A scene and perhaps another in, one catalog out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-07
    label: A scene and perhaps another in, one catalog out
    doc: An index of a scene, and of a mask if there is one.
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
      mask: {type: 'Directory?', label: a mask, doc: a mask}
    outputs:
      found: {type: Directory, outputSource: index/found}
    steps:
      index:
        run: '#index'
        in: {scene: scene, mask: mask}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
      mask: {type: 'Directory?', inputBinding: {position: 2}}
    arguments: [python3, $(inputs.script.path), index, ndvi, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
