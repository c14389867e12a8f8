"""Where each district of Khon Kaen stands on the tile map: row from the north, column from the west.

Laid out by hand after the districts' real positions; one tile each, so that a small district is as readable as a large.
"""

TILES: dict[str, tuple[int, int]] = {
    "4006": (1, 2),  # Si Chomphu
    "4023": (1, 3),  # Nong Na Kham
    "4019": (1, 5),  # Khao Suan Kwang
    "4020": (2, 1),  # Phu Pha Man
    "4029": (2, 2),  # Wiang Kao
    "4016": (2, 3),  # Phu Wiang
    "4008": (2, 4),  # Ubolratana
    "4007": (2, 5),  # Nam Phong
    "4009": (2, 6),  # Kranuan
    "4005": (3, 2),  # Chum Phae
    "4004": (3, 3),  # Nong Ruea
    "4002": (3, 4),  # Ban Fang
    "4001": (3, 5),  # Mueang Khon Kaen
    "4021": (3, 6),  # Sam Sung
    "4003": (4, 4),  # Phra Yuen
    "4024": (4, 5),  # Ban Haet
    "4022": (5, 2),  # Khok Pho Chai
    "4017": (5, 3),  # Mancha Khiri
    "4018": (5, 4),  # Chonnabot
    "4010": (5, 5),  # Ban Phai
    "4013": (6, 3),  # Waeng Yai
    "4025": (6, 4),  # Non Sila
    "4011": (6, 5),  # Pueai Noi
    "4014": (7, 3),  # Waeng Noi
    "4012": (7, 4),  # Phon
    "4015": (7, 5),  # Nong Song Hong
}
