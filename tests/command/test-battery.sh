#!/bin/sh
# test-battery.sh: every plugin of this tree passes plugin-check.  Sources need
# something to read.
. "$top_srcdir/tests/command/lib.sh"
shop
printf '{"id": 1, "text": "一"}\n{"id": 2, "text": null}\n' > rows.jsonl
cat > shop.sql <<'END'
CREATE TABLE `goods` (`id` int NOT NULL, `name` varchar(40), PRIMARY KEY (`id`));
INSERT INTO `goods` VALUES (1,'茶杯'),(2,NULL),(3,'it\'s');
END

for file in "$top_builddir"/plugins/.libs/*-*.so; do
  plugin=$(basename "$file" .so)
  case $plugin in
    libflowrun*) continue ;;
    source-csv) with="{\"path\": \"$tmp/goods.csv\"}" ;;
    source-json) with="{\"path\": \"$tmp/rows.jsonl\"}" ;;
    source-sqldump) with="{\"path\": \"$tmp/shop.sql\", \"table\": \"goods\"}" ;;
    source-sqlite) with='{"script": "'$tmp'/lite.sql", "table": "goods"}'
      echo "CREATE TABLE goods (id INTEGER, name TEXT); INSERT INTO goods VALUES (1, '茶'), (2, NULL);" > lite.sql ;;
    source-*) with=; skip "$plugin" "no rows for it here"; continue ;;
    *) with= ;;
  esac
  run 0 plugin-check "$file" ${with:+--with "$with"}
  out ' 0 failed, '
  case $plugin in
    source-*) out '^ok .*: it runs$' ;;
    # Nobody can make up a model or a key of ratings for them; their own tests have one.
    evaluator-* | sink-safetensors | sink-gguf | sink-onnx | sink-serve | trainer-* | transform-generate) out ' # SKIP ' ;;
    *) out ' 0 skipped$' ;;
  esac
done
done_testing
