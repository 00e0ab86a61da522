from fercore.cli import main

main()
