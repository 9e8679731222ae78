# PyMySQL and MySQLdb (argv[1] is the module) read every type of `typed` and print what kind of value each became.
import importlib
import os
import sys

module = importlib.import_module(sys.argv[1])
connection = module.connect(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"],
                            passwd=os.environ["DB_PASSWORD"], db=os.environ["DB_NAME"], charset="utf8mb4", connect_timeout=120)
cursor = connection.cursor()
cursor.execute("SELECT * FROM typed ORDER BY id")
names = [column[0] for column in cursor.description]
for row in cursor.fetchall():
    for name, value in zip(names, row):
        print(f"{name}: {type(value).__name__}")
