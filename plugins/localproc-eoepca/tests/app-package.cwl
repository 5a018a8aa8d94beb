# A scene whose catalog says what the tool was given.
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: site-scene
    label: A scene of the site
    inputs:
      size: int
      bands: {type: "string[]", default: [green]}
      fail: {type: boolean, default: false}
    outputs:
      scene: {type: Directory, outputSource: make/scene}
    steps:
      make:
        run: "#make"
        in: {size: size, bands: bands, fail: fail}
        out: [scene]
  - class: CommandLineTool
    id: make
    baseCommand: [sh, -c]
    arguments:
      - |
        test "$(inputs.fail)" = false || { echo "no scene today" >&2; exit 3; }
        echo "made for $SITE" >&2
        echo "with a key of \${#AWS_SECRET_ACCESS_KEY} characters, \${VAULT-no vault}" >&2
        printf '%s %s' "$(inputs.size)" "$(inputs.bands.join('+'))" > data.txt
        cat > item.json <<END
        {"type": "Feature", "stac_version": "1.0.0", "id": "N", "geometry": null, "links": [],
         "properties": {"datetime": "2026-05-31T12:00:00Z", "site": "$SITE"},
         "assets": {"data": {"href": "./data.txt", "type": "text/plain"}}}
        END
        cat > catalog.json <<END
        {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "d",
         "links": [{"rel": "item", "href": "./item.json"}]}
        END
    requirements:
      InlineJavascriptRequirement: {}
    inputs:
      size: int
      bands: string[]
      fail: boolean
    outputs:
      scene: {type: Directory, outputBinding: {glob: .}}
