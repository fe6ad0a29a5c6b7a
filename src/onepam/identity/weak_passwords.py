"""What people choose when they may choose: words that make a password guessable, and long ones that everybody uses.

Folded to lower case and letters (see `passwords`). The words are a compact selection of what public rankings of
leaked passwords have had on top for years; a full list of breached passwords can be configured beside it.
"""

WORDS = frozenset(
    """
    abcd access admin administrator adobe amanda america andrea andrew angel anthony apple arsenal ashley august
    austin autumn azerty babygirl bailey banana barcelona baseball basketball batman bear beer blink bonjour booger
    boomer boston brandon buster butterfly calvin chang changed changeit changeme charlie cheese chelsea chicago
    chicken chocolate chris christ coffee company computer contrasena contraseña cookie corona corvette cowboy
    dallas daniel database david december default demo dennis deploy diamond dolphin donald dragon eagle elephant
    family february ferrari first flower football forever freedom friday friend garfield geheim george ginger gold
    golfer google guest guitar hallo hammer hannah happy harley haslo heaven hello hockey hola holiday hottie
    hunter iceman iloveyou internet jackson january jasmine jennifer jessica jesus johnny jordan joseph joshua july
    june justin killer kitty knight laptop letmein liverpool login london love lovely maggie manager march marina
    marlboro martin master matrix matthew maverick merlin michael michelle midnight mobile monday money monkey
    monster morgan motdepasse mother mountain murphy music mustang natasha nicole ninja november october office
    onepam orange pakistan panther parola pass passw0rt passwd password passwort patrick peaches peanut pepper
    phoenix player please pokemon porsche prince princess private prod production purple qazwsx qwer qwert qwerty
    rabbit raiders rainbow ranger redsox richard robert root saturday schatz scooter secret senha september server
    service shadow shannon shelby sierra silver single slipknot smokey snoopy soccer soleil sommer sonne sophie
    sparky spider spring startrek starwars steelers steven summer sunday sunshine super superman support system
    taylor temp tennis test thomas thunder thursday tiger tigger trustno tuesday turtle unicorn user victoria
    viking vision wachtwoord wednesday welcome whatever william willkommen winner winter wizard yankees yellow
    zaqwsx пароль привет
    """.split()  # noqa: SIM905
)

LONG = frozenset(
    """
    antidisestablishmentarianism backtothefuture beammeupscotty bestfriendsforever blessedbethename
    correcthorsebattery correcthorsebatterystaple donaudampfschifffahrt donotforget godblessyou godisgood
    godisgreat hakunamatata harrypotter iamnotarobot iamyourfather idontknow idontknowmypassword iforgotmypassword
    ilovejesus ilovemycat ilovemydaughter ilovemydog ilovemyfamily ilovemyhusband ilovemywife iloveyouforever
    iloveyoumorethan iloveyousomuch imnotarobot inthebeginningwastheword itsasecret iwillalwaysloveyou jesuschrist
    jesuslovesme justdoit letmeinplease livelongandprosper liverpoolfc lordoftherings loremipsumdolor
    loremipsumdolorsitamet lukeiamyourfather manchesterunited maytheforcebewithyou mypasswordis nevergonnagiveyouup
    nopasswordneeded onceuponatime opensesame pleaseletmein pneumonoultramicroscopicsilicovolcanoconiosis
    realmadrid starwarsepisode supercalifragilisticexpialidocious thequickbrownfox thequickbrownfoxjumps
    thequickbrownfoxjumpsoverthelazydog thisisapassword thisismypassword thisisnotapassword tobeornottobe
    tobeornottobethatisthequestion topsecret valarmorghulis whatismypassword winteriscoming youllneverwalkalone
    youshallnotpass
    """.split()  # noqa: SIM905
)
