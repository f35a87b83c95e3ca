# A server by the second, a disk by its size, storage that a package covers in part; each hour is charged an hour after it
# has ended.

clock     2027-01-31 20:00
customer  cedar-labs
nocoupons
expect    cash 10000
start     web
use       vol disk Duration 25874 6 2027-01-31T20:00 size=1000
clock     2027-01-31 21:59
charged   vol Duration 2027-01 records 0
clock     2027-01-31 22:00
charged   web Duration 2027-01 records 1 usage 3600 official 0.0203 amount 0.0203
charged   vol Duration 2027-01 usage 25874 official 0.79059444   # 7.1872222222 h × 1000 GB × 0.00011, cut
clock     2027-02-01 10:30              # the month has turned: usage belongs to the month in which it was
stop      web
clock     2027-02-02 00:00
charged   web Duration 2027-01 records 4 usage 14400 official 0.0812
charged   web Duration 2027-02 records 11 usage 37800 official 0.21315
machine   web 6
check
