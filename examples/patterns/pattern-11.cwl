# A scene and a file in, one catalog out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-11
    label: A scene and a file in, one catalog out
    doc: An index of a scene and a model of its terrain.
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
      dem: {type: File, label: a digital elevation model, doc: a digital elevation model}
    outputs:
      found: {type: Directory, outputSource: index/found}
    steps:
      index:
        run: '#index'
        in: {scene: scene, dem: dem}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 2}}
      dem: {type: File, inputBinding: {prefix: --beside=, separate: false, position: 1}}
    arguments: [python3, $(inputs.script.path), index, slope, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
